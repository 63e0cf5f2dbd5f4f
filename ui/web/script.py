"""What Streamlit runs for every click: `ui.serve` starts it with the archive's folder as argument.

It is the main module of the processes that the page starts as well. These must not load the page.
"""

from __future__ import annotations

if __name__ == "__main__":
    from ui.web.app import main

    main()
