"""From findings to a report, and from a report to markdown, HTML, JSON and the terminal."""
