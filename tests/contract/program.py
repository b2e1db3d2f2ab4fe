"""Verbs, options and arguments: --help, and what the program says to each."""
import re
import subprocess

NOT_YET = "not supported yet"
NOBODY = ["--admin", "unix:/nonexistent/socket"]


def run(contract, *words):
    return subprocess.run([contract.penstock, *words], capture_output=True, text=True, timeout=30)


def shown(contract, *verb):
    """The verbs and the options that the help of a verb shows."""
    done = run(contract, *verb, "--help")
    contract.check(done.returncode == 0, f"{verb} --help ends with {done.returncode}")
    verbs, options = set(), set()
    section = ""
    for line in done.stdout.splitlines():
        section = line if line.endswith(":") else section
        word = re.match(r"  ([a-z-][a-z_-]*)", line)
        if word and section == "Subcommands:":
            verbs.add(" ".join([*verb, word[1]]))
        elif word and section == "Options:":
            found = re.findall(r"--[a-z-]+", line.split()[0])
            options |= {" ".join([*verb, each]) for each in found}
    return verbs, options


def judge_help(contract):
    top_verbs, options = shown(contract)
    ctl_verbs, ctl_options = shown(contract, "ctl")
    contract.same("--help", top_verbs | ctl_verbs, "verbs")
    for verb in sorted((top_verbs | ctl_verbs) - {"ctl"}):
        options |= shown(contract, *verb.split())[1]
    everywhere = {each for each in options | ctl_options if each.endswith(" --help")}
    contract.same("--help", (options | ctl_options) - everywhere, "options")


def judge_refusals(contract):
    for section in ("verbs", "options", "arguments"):
        for name, state in contract.states(section):
            if state != "later":
                continue
            words = [each if each.islower() or each[0] == "-" else "x" for each in name.split()]
            if section == "arguments":
                words = [*name.split()[:2], "upstream", "address", name.split()[-1]]
            done = run(contract, *words)
            contract.check(done.returncode == 2 and NOT_YET in done.stderr and not done.stdout,
                           f"{name} comes later, but ends with {done.returncode}, says "
                           f"{done.stdout}{done.stderr}")


def judge_arguments(contract):
    for name, state in contract.states("arguments"):
        if state == "built":
            words = name.split()
            done = run(contract, words[0], *NOBODY, words[1], "upstream", "address", words[-1])
            contract.check(done.returncode == 1, f"{name}: exit code {done.returncode}, not 1: "
                                                 f"{done.stderr}")


def judge(contract):
    judge_help(contract)
    judge_refusals(contract)
    judge_arguments(contract)
    for words in (["zzz"], ["ctl", "zzz"], ["run", "--zzz"]):
        done = run(contract, *words)
        contract.check(done.returncode == 2 and NOT_YET not in done.stderr,
                       f"{words} is not unknown: {done.returncode}, {done.stderr}")
