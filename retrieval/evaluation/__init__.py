"""How well marks find their like: labels in, measures out, beside everything else one could use."""
