"""From a symptom to a finding: what is wrong, who must act, what to do. The rules are in data/diagnosis.yaml."""
