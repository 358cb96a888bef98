"""`python -m digest` is the command `digest`. Ctrl+C is answered in one sentence, also while the rest is being loaded."""

import sys


def main() -> None:
    """The entry point."""
    try:
        from digest.cli import main as command

        command()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
