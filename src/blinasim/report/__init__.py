"""Reports: tables, figures and stories made from results."""
