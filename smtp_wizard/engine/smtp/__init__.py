"""The SMTP dialogue (RFC 5321): protocol without I/O, SASL, transport, TLS, certificates, faults."""
