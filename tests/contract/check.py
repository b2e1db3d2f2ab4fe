#!/usr/bin/env python3
"""The program, config/reference.yaml, README.md and --help against names.yaml, which lists every
name that a user may rely on: what is built works, what comes later says so, the rest is unknown.

usage: check.py PENSTOCK SOURCE_FOLDER
"""
import sys
from pathlib import Path

import yaml

import configuration
import program
import readme
import running

NOT_YET = "not supported yet"


class Contract:
    """What names.yaml says, and the faults that were found so far."""

    def __init__(self, penstock, source):
        self.penstock, self.source = penstock, source
        text = (source / "tests/contract/names.yaml").read_text()
        self.names = yaml.safe_load(text)
        self.faults = []
        self.looked = 0  # a check that looks at nothing finds nothing

    def check(self, fact, sentence):
        self.looked += 1
        if not fact:
            self.faults.append(sentence)

    def states(self, section):
        for name, state in self.names[section].items():
            self.check(state in ("built", "later"), f"names.yaml: {section}: {name}: {state}")
            yield str(name), state

    def having(self, section, state):
        return {name for name, each in self.states(section) if each == state}

    def same(self, what, found, section):
        """Both directions: all that is built was found, and nothing else."""
        built = self.having(section, "built")
        for name in sorted(built - found):
            self.check(False, f"{what} lacks {name}, which names.yaml calls built")
        for name in sorted(found - built):
            self.check(False, f"{what} has {name}, which names.yaml does not call built")
        self.check(found, f"{what} has nothing at all")

    def key_is_later(self, key):
        """A key below one that comes later comes later, too."""
        return any(self.names["keys"].get(each) == "later" for each in configuration.above(key))

    def topmost_later_keys(self):
        return [key for key in self.having("keys", "later")
                if not any(self.key_is_later(each) for each in configuration.above(key)[1:])]


def main():
    contract = Contract(sys.argv[1], Path(sys.argv[2]))
    configuration.judge(contract)
    program.judge(contract)
    running.judge(contract)
    readme.judge(contract)
    for fault in contract.faults:
        print(fault, file=sys.stderr)
    print(f"{contract.looked} facts, {len(contract.faults)} faults")
    return 1 if contract.faults or contract.looked < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
