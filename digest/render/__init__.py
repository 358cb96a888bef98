"""An issue and a language become subject, HTML, text and bytes. No store and no socket is opened here."""
