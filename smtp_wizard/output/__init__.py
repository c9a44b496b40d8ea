"""Reports as plain lines, JSON, JUnit, Nagios and Prometheus, and the JSON Schemas. Nothing here writes anywhere."""
