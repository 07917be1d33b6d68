"""mkdocs' hooks: pages that lie outside docs/, and links that lead outside it.

The READMEs of the plugins and backends, and the changelog, are pages of the site as well.
In the repository they stand beside what they describe, so their links are bent here.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)


def outside() -> dict[str, str]:
    """The pages from elsewhere: where each stands on the site, and in the repository."""
    readmes = sorted(ROOT.glob("plugins/*/README.md")) + sorted(ROOT.glob("backends/*/README.md"))
    pages = {f"features/{file.parent.name}.md": str(file.relative_to(ROOT)) for file in readmes}
    # The backend vLLM has a page in docs/ that says more.
    pages.pop("features/vllm.md", None)
    return {**pages, "changelog.md": "CHANGELOG.md"}


def on_page_read_source(page: Page, config: MkDocsConfig) -> str | None:
    """The text of a page from elsewhere; in docs/ only a line that leads to it stands."""
    source = outside().get(page.file.src_uri)
    return None if source is None else (ROOT / source).read_text(encoding="utf-8")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Bend the links of a page that stands elsewhere, or that lead outside docs/."""
    place = page.file.src_uri
    source = outside().get(place, f"docs/{place}")
    parts = FENCE.split(markdown)
    parts[::2] = [bend(part, place, source, config.repo_url or "") for part in parts[::2]]
    return "".join(parts)


def bend(markdown: str, place: str, source: str, repository: str) -> str:
    """Links of the file ``source``, as the page ``place`` must write them.

    ``repository`` is where the code can be read, "" where that is not known: then
    what is not on the site is named only.
    """
    pages = {file: page for page, file in outside().items()}
    pages["README.md"] = "index.md"

    def bent(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        file = normpath(str(PurePosixPath(source).parent / target))
        on_site = pages.get(file) or (file.removeprefix("docs/") if file[:5] == "docs/" else None)
        if on_site is None:
            folder = "tree" if (ROOT / file).is_dir() else "blob"
            return f"[{text}]({repository}/{folder}/main/{file}{anchor})" if repository else text
        if file == "README.md":
            anchor = ""
        return f"[{text}]({relpath(on_site, str(PurePosixPath(place).parent))}{anchor})"

    return LINK.sub(bent, markdown)
