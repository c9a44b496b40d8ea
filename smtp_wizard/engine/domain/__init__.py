"""What a domain publishes about its mail (SPF, DKIM, DMARC, mail hosts), and the records that mend it."""
