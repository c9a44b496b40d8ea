"""The practice server: a real submission server on this computer that plays a provider."""
