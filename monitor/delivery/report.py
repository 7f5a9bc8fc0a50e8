"""The report as a page and as a PDF, from one template."""

from __future__ import annotations

from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from monitor.errors import MonitorError
from monitor.policy.report import Report

NO_PDF = (
    "A PDF needs WeasyPrint: pip install 'trust-monitor[pdf]', and the system's Pango "
    "(on Debian and Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0). "
    "The page in HTML needs neither, and prints from any browser."
)


def to_html(report: Report, *, trust: str, made_on: date) -> str:
    """A whole page that needs nothing from elsewhere."""
    environment = Environment(
        loader=PackageLoader("monitor"),
        autoescape=select_autoescape(["html", "j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "day": lambda day: f"{day.day} {day:%B %Y}",
        "minutes": _minutes,
        "share": lambda share: f"{share:.1%}" if share < 1 else "100%",
        "words": lambda name: name.replace("_", " "),
    }
    template = environment.get_template("report/report.html.j2")
    return template.render(report=report, trust=trust, made_on=made_on)


def to_pdf(html: str) -> bytes:
    """The same page as a PDF that a screen reader can follow (PDF/UA). Raises MonitorError, saying
    what to install, where WeasyPrint or the libraries that it draws with are missing."""
    try:
        import weasyprint  # noqa: PLC0415 - an extra, and slow to load
    except (ImportError, OSError) as error:
        raise MonitorError(NO_PDF) from error
    made: bytes = weasyprint.HTML(string=html, url_fetcher=_nothing_from_elsewhere).write_pdf(
        pdf_variant="pdf/ua-1"
    )
    return made


def _nothing_from_elsewhere(url: str) -> None:
    raise ValueError(f"the report refers to {url}: it must need nothing from elsewhere")


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        whole = round(minutes)
        return f"{whole} minute{'' if whole == 1 else 's'}"
    return f"{minutes / 60:.0f} hours"
