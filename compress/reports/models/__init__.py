"""Tables 2, 3 and QRNN: trained models with their own heads, beside what the papers printed."""
