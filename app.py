"""Start the page: ``python app.py [--host H] [--port P] [--space] …``; also a Space's entry point."""

from studio.ui.serve import flags, main

__all__ = ["flags", "main"]

if __name__ == "__main__":
    main()
