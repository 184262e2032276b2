"""The report: many runs in one HTML file that a browser shows without a server; `page/` has the page's own files."""
