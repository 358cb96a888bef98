"""An issue as Markdown, to paste into Slack, Teams or Discourse. Titles and blurbs are words there, never markup."""

import re

from digest.render.context import IssueView, ItemView
from digest.words import Words

_MARKS = re.compile(r"([\\`*_\[\]<>#|~])")


def issue_markdown(view: IssueView) -> str:
    """The whole issue: headings, items with their links, where to subscribe. Ends with a line end."""
    words = Words(view.language)
    colon = words("letter.colon")
    blocks = [f"# {plain(view.title)}", f"[{plain(view.list_name)}]({view.web_url}) · {view.issue_line}"]
    for paragraph in view.note:
        blocks.append("".join(f"<{run.url}>" if run.url else plain(run.text) for run in paragraph))
    if view.glance:
        blocks.append(f"**{' · '.join(view.glance)}**")
    for section in view.sections:
        blocks.append(f"## {plain(section.name)}")
        blocks += [_item(item, colon) for item in section.items]
    blocks.append("---")
    blocks.append(f"{words('letter.subscribe')}{colon}<{view.home_url}>")
    return "\n\n".join(blocks) + "\n"


def plain(text: str) -> str:
    """Words that Markdown leaves as they are."""
    return _MARKS.sub(r"\\\1", text)


def _item(item: ItemView, colon: str) -> str:
    title = plain(item.title)
    lines = [f"- **[{title}](<{item.url}>)**" if item.url else f"- **{title}**"]
    if item.when:
        hour = plain(item.when.line)
        lines.append(f"{plain(item.status)}{colon}{hour}" if item.status else hour)
    lines.append(plain(" · ".join([*item.meta, *([item.language_note] if item.language_note else [])])))
    lines.append(plain(item.blurb))
    return "  \n  ".join(line for line in lines if line)
