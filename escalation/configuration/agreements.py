"""The section of hand-over contracts: what a team needs to know before it takes work."""

from escalation.configuration.records import Field, Record
from escalation.configuration.section import Change, Hand, Item, Section, find, require_row
from escalation.configuration.shapes import Flag, Many, Name, Slug, Text
from escalation.contracts import set_contract
from escalation.models import HandoverContract
from roles.models import Team

NEED = Record(
    {
        "slug": Field(Slug(40)),
        "name": Field(Text(120, may_be_empty=False)),
        "required": Field(Flag(), default=True),
    },
    inline=True,
)


def _contracts() -> dict[str, Item]:
    found = {}
    rows = HandoverContract.objects.select_related("from_team", "to_team")
    for row in rows.prefetch_related("needs"):
        item = {
            "from": row.from_team.slug if row.from_team else None,
            "to": row.to_team.slug,
            "needs": [
                {"slug": need.slug, "name": need.name}
                | ({} if need.required else {"required": False})
                for need in row.needs.all()
            ],
            "active": row.is_active,
        }
        found[CONTRACTS.key_of(item)] = item
    return dict(sorted(found.items()))


def _write_contract(change: Change, hand: Hand) -> None:
    item = change.after
    set_contract(
        to_team=require_row(Team, item["to"]),
        from_team=find(Team, item["from"]),
        needs=item["needs"],
        is_active=item["active"],
        **hand.by,
    )


CONTRACTS = Section(
    name="contracts",
    kind="contract",
    identity=("from", "to"),
    record=Record(
        {
            "from": Field(Name("team", may_be_none=True), default=None, is_wording=True),
            "to": Field(Name("team"), is_wording=True),
            "needs": Field(Many(NEED), default=[], is_wording=True),
            "active": Field(Flag(), default=True, is_wording=True),
        },
        whole=False,
    ),
    present=_contracts,
    write=_write_contract,
)
