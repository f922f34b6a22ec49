"""Messages, from the transaction of their cause to a real SMTP server."""
