"""Services, categories and routes of the example site."""

DEMO_SERVICE = "demo-checkout"
SERVICES = {
    "e-mail": ("E-mail and calendar", "application-support", "Mailboxes, calendars, lists."),
    "ordering": ("Online ordering", "platform-engineering", "Customers order and pay here."),
    "warehouse": ("Warehouse system", "application-support", "Stock, picking, shipping labels."),
    "patient-portal": ("Patient portal", "platform-engineering", "Appointments and results."),
    "customer-data": ("Customer database", "database-administration", "Master data of customers."),
    "network": ("Network and lines", "network-engineering", "Sites, wireless, carrier lines."),
    "remote-access": ("VPN and remote access", "network-engineering", "Work from elsewhere."),
    "workplace": ("Workplace and devices", "service-desk", "Laptops, phones, printers, badges."),
    DEMO_SERVICE: (
        "Demo checkout",
        "platform-engineering",
        "Not a real service: live examples run on it, with targets of seconds.",
    ),
}
CATEGORIES = {
    "outage": ("Outage", ""),
    "performance": ("Slow or unstable", ""),
    "access": ("Access and sign-in", ""),
    "password": ("Password", "access"),
    "data": ("Wrong or missing data", ""),
    "hardware": ("Hardware", ""),
    "how-to": ("Question", ""),
    "security": ("Security", ""),
    "phishing": ("Phishing", "security"),
    "infrastructure": ("Infrastructure alert", ""),
}
# (service, category, tier, team, takes new tickets); "" stands for any.
ROUTES = (
    ("", "", "l1", "service-desk", False),
    ("", "", "l2", "application-support", False),
    ("", "", "l3", "platform-engineering", False),
    ("", "", "l4", "meridian-carrier", False),
    ("", "", "security", "security-operations", False),
    ("", "", "change", "change-management", False),
    ("network", "", "l2", "network-engineering", False),
    ("remote-access", "", "l2", "network-engineering", False),
    ("customer-data", "", "l3", "database-administration", False),
    ("warehouse", "data", "l3", "database-administration", False),
    ("", "data", "l3", "database-administration", False),
    ("", "infrastructure", "l2", "network-engineering", True),
)
