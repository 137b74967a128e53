#!/usr/bin/python3
"""Makes one deliberately broken copy of a source file: mutate.py RECIPE SOURCE_ROOT OUTPUT.

A recipe's first line names the file, the next ones say what is wrong with the mutant; then
"--- replace", old text, "--- by", new text. The old text, white space aside, must occur exactly
once, so a recipe that no longer fits the source fails the build.
"""
import pathlib
import re
import sys


def main() -> int:
    recipe, root, output = (pathlib.Path(argument) for argument in sys.argv[1:4])
    head, _, rest = recipe.read_text().partition("--- replace\n")
    old, _, new = rest.partition("--- by\n")
    name = head.splitlines()[0].strip()
    source = (root / name).read_text()
    pattern = re.compile(r"\s+".join(re.escape(word) for word in old.split()))
    found = len(pattern.findall(source)) if old.split() else 0
    if found != 1:
        print(f"{recipe}: the text to replace occurs {found} times in {name}, not once",
              file=sys.stderr)
        return 1
    output.write_text(pattern.sub(lambda _: new.strip(), source))
    return 0


if __name__ == "__main__":
    sys.exit(main())
