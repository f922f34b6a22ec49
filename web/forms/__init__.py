"""What people type: forms that check shape only; the domain functions judge the rest."""
