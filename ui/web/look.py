"""How the page looks: paper, ink and sealing wax. Nothing is fetched from anywhere."""

from __future__ import annotations

#: Streamlit's theme, as options of its command line.
THEME = {
    "base": "light",
    "primaryColor": "#8c2f22",
    "backgroundColor": "#fbf8f2",
    "secondaryBackgroundColor": "#f1ebdf",
    "textColor": "#2b2620",
    "linkColor": "#8c2f22",
    "borderColor": "#ddd3c1",
    "blueBackgroundColor": "#f1ebdf",
    "blueTextColor": "#4a4034",
    "yellowBackgroundColor": "#f7ecd2",
    "yellowTextColor": "#6b4e12",
    "redBackgroundColor": "#f5e1db",
    "redTextColor": "#7a2418",
    "font": "sans-serif",
    "headingFont": "serif",
    "baseRadius": "small",
    "showWidgetBorder": "true",
    "paddingTop": "1.5rem",
}

STYLE = """<style>
.pm-head h1 { font-family: "Source Serif", Georgia, serif; font-size: 1.9rem; font-weight: 600;
  margin: 0; padding: 0; line-height: 1.2; }
.pm-head .pm-archive { color: #756a5c; font-weight: 400; margin-left: .4rem; }
.pm-head .pm-facts { color: #756a5c; font-size: .85rem; margin: .25rem 0 0; }
.pm-head .pm-dot { margin: 0 .3rem; }
.pm-head { border-bottom: 1px solid #ddd3c1; padding-bottom: .7rem; margin-bottom: .2rem; }
.pm-section h2 { font-family: "Source Serif", Georgia, serif; font-size: 1.2rem; font-weight: 600;
  margin: 0; padding: 0; }
.pm-section .pm-line { color: #756a5c; font-size: .85rem; margin: .15rem 0 0; }
.pm-card p { margin: 0; line-height: 1.3; overflow-wrap: anywhere; }
.pm-card .pm-alike { font-size: .82rem; margin-bottom: .35rem; }
.pm-card .pm-strong { color: #8c2f22; font-weight: 600; }
.pm-card .pm-weak { color: #756a5c; }
.pm-card .pm-way { font-size: .82rem; font-style: italic; margin-bottom: .35rem; }
.pm-card .pm-reference { font-size: .92rem; font-weight: 600; }
.pm-card .pm-beside { font-size: .82rem; color: #5d5448; }
.pm-card .pm-already { font-size: .82rem; color: #34628c; }
.pm-card .pm-credit { font-size: .75rem; color: #756a5c; margin-top: .2rem; display: -webkit-box;
  -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.pm-table { border-collapse: collapse; width: 100%; font-size: .9rem; }
.pm-table th { text-align: left; font-weight: 400; color: #756a5c; padding: .3rem .8rem .3rem 0;
  vertical-align: top; white-space: nowrap; border: 0; border-bottom: 1px solid #eae2d3; }
.pm-table td { padding: .3rem 0; border: 0; border-bottom: 1px solid #eae2d3;
  overflow-wrap: anywhere; }
[data-testid="stMainBlockContainer"] { padding: 2.8rem 2.5rem 4rem; }
[data-testid="stHeader"] { background: transparent; }
[data-testid="stSidebarHeader"] { height: 1.5rem; margin-bottom: .5rem; padding: 0; }
[class*="st-key-card-"] { background: #fffdf9; }
[class*="st-key-card-chosen-"], [class*="st-key-card-other-"] { background: none; }
[class*="st-key-card-"] img { border-radius: 3px; }
[data-testid="stBaseButton-tertiary"] { min-height: 0; padding: 0; position: relative; }
[data-testid="stBaseButton-tertiary"] p span { position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[data-testid="stBaseButton-tertiary"] p { text-decoration: underline;
  text-decoration-color: #c9bda8; text-underline-offset: 3px; }
[data-testid="stBaseButton-tertiary"]:hover p { text-decoration-color: currentcolor; }
[class*="st-key-card-"] [data-testid="stBaseButton-tertiary"] p { font-size: .8rem; }
[class*="st-key-links-"] { row-gap: .1rem; }
[data-testid="stColumn"]:has(.st-key-question) { position: sticky; top: 2rem;
  max-height: calc(100vh - 3rem);
  overflow-y: auto; align-self: flex-start; min-width: 330px; }
</style>"""
