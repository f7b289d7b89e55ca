"""What really computes: language, rules, pictures, films. One engine a file; none knows HTTP."""
