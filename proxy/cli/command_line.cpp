#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/exit_codes.hpp"
#include "base/promised.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/ctl/client.hpp"
#include "config/scalars.hpp"

namespace penstock::cli {

namespace {

std::string unless_empty(const char* set, const char* otherwise) {
  return set != nullptr && *set != '\0' ? set : otherwise;
}

// Everything that the options write to, and the tree of verbs.
class Interface {
 public:
  explicit Interface(const CommandDefaults& defaults)
      : file_{unless_empty(defaults.config_file, "/etc/penstock/penstock.yaml")} {
    ctl_command_.admin = unless_empty(defaults.admin, "127.0.0.1:9900");
    app_.set_version_flag("-V,--version", version_line(), "Print the version");
    app_.require_subcommand(0, 1);
    add_file_option(*app_.add_subcommand("run", "Run the proxy"));
    add_check();
    app_.add_subcommand("version", "Print the version");
    app_.add_subcommand("help", "Print this overview");
    add_explain();
    add_numa();
    add_selftest();
    add_ctl();
    for (const base::PromisedWord& each : base::promised_words()) add_promised(each);
    overview_ = app_.help();  // once a verb was parsed it would be that verb's
  }

  Command parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForVersion& version) {
      return printed(std::string{version.what()} + '\n');
    } catch (const CLI::Success&) {
      return printed(app_.help());
    } catch (const CLI::ParseError& error) {
      return complaint(error.what());
    }
    return chosen();
  }

 private:
  static std::string version_line() { return "penstock " + std::string{base::version()}; }

  CLI::Option* add_file_option(CLI::App& verb) {
    return verb
        .add_option("-c,--config", file_,
                    "The configuration, - for standard input; default: $PENSTOCK_CONFIG, else "
                    "/etc/penstock/penstock.yaml")
        ->type_name("FILE");
  }

  void add_check() {
    check_ = app_.add_subcommand("check", "Check a configuration and print every fault");
    check_->add_option("FILE", file_, "The configuration, as with -c")
        ->excludes(add_file_option(*check_));
    check_->add_flag("--budget", check_command_.budget,
                     "Show how many connections fit, what limits them, and what to change");
  }

  void add_explain() {
    explain_ =
        app_.add_subcommand("explain", "Show which endpoints a connection would go to, and why");
    add_file_option(*explain_);
    explain_
        ->add_option("--admin", explain_command_.admin,
                     "Ask the running proxy at this address instead of a file")
        ->type_name("ADDR")
        ->excludes("--config");
    explain_
        ->add_option("--listener", explain_command_.question.listener, "The listener it arrives at")
        ->type_name("NAME")
        ->required();
    explain_
        ->add_option("--source", explain_command_.question.source,
                     "The client; default: any, which shows the shares of all")
        ->type_name("IP[:PORT]");
    for (const char* option : {"--sni", "--alpn"})
      explain_->add_option(option, unrouted_, "Not used by any route of this version");
    explain_->add_flag("--json", explain_command_.json, "Print JSON");
  }

  void add_numa() {
    numa_ = app_.add_subcommand("numa", "Show the machine and where `run` would place its threads");
    numa_
        ->add_option("-c,--config", numa_command_.file,
                     "The configuration to plan for; default: none")
        ->type_name("FILE");
    numa_->add_flag("--json", numa_command_.json, "Print JSON");
  }

  void add_selftest() {
    selftest_ = app_.add_subcommand("selftest", "Try every relay engine on this kernel");
    selftest_->add_flag("--json", selftest_command_.json, "Print JSON");
  }

  void add_ctl() {
    ctl_ = app_.add_subcommand("ctl", "Query or control a running proxy");
    ctl_->require_subcommand(0, 1);
    ctl_->add_option("--admin", ctl_command_.admin,
                     "Its admin address, ip:port or unix:/path; default: $PENSTOCK_ADMIN, else "
                     "127.0.0.1:9900")
        ->type_name("ADDR");
    ctl_->add_flag("--json", ctl_command_.json, "Print the proxy's own JSON");
    add_verb(CtlVerb::status, "Show the state; exit code 0 only if it is healthy and ready");
    auto* wait_ready = add_verb(CtlVerb::wait_ready, "Wait until it is ready");
    wait_ready
        ->add_option_function<std::string>(
            "--timeout", [this](const std::string& text) { set_timeout(text); },
            "How long at most, for example 500ms or 2m; default: 30s")
        ->type_name("DURATION");
    add_verb(CtlVerb::listeners, "List listeners with traffic totals");
    add_verb(CtlVerb::numa, "Show where the threads run and where they were planned");
    add_verb(CtlVerb::budget, "Show how many connections fit, what limits them, and what is used");
    add_verb(CtlVerb::upstreams, "List upstreams and their endpoints");
    auto* endpoint =
        add_verb(CtlVerb::endpoint, "Drain an endpoint, take it down, or bring it back up");
    endpoint->add_option("UPSTREAM", ctl_command_.upstream)->required();
    endpoint->add_option("ADDRESS", ctl_command_.endpoint, "Its name or its address")->required();
    endpoint->add_option("STATE", ctl_command_.state)
        ->required()
        ->check([](const std::string& state) { return refused("ctl endpoint STATE", state); })
        ->check(CLI::IsMember({"up", "drain", "down"}));
    add_verb(CtlVerb::drain, "Drain connections, then exit")
        ->add_flag("--wait", ctl_command_.wait, "Return once all connections have ended");
  }

  CLI::App* add_verb(CtlVerb verb, const std::string& help) {
    CLI::App* added = ctl_->add_subcommand(std::string{ctl_verb_names[verb]}, help);
    added->fallthrough();  // --admin and --json may stand behind the verb too
    return added;
  }

  // The sentence about a word that an argument may say one day; empty for any other.
  static std::string refused(std::string_view argument, const std::string& word) {
    for (const base::PromisedWord& each : base::promised_words())
      if (each.where == argument && each.word == word)
        return word + " is " + std::string{base::not_supported_yet};
    return {};
  }

  // A verb or an option that is not shown, and refuses whatever stands behind it.
  void add_promised(const base::PromisedWord& promised) {
    if (promised.where.find(' ') != std::string_view::npos) return;  // an argument: see refused()
    const std::string where{promised.where};
    CLI::App* const verb = where.empty() ? &app_ : app_.get_subcommand(where);
    const std::string word{promised.word};
    const auto refuse = [word] {
      throw CLI::ValidationError(word, std::string{base::not_supported_yet});
    };
    if (word.starts_with('-'))
      verb->add_option_function<std::vector<std::string>>(word, [=](const auto&) { refuse(); })
          ->expected(0, CLI::detail::expected_max_vector_size)
          ->group("");
    else
      verb->add_subcommand(word)->group("")->preparse_callback([=](std::size_t) { refuse(); });
  }

  void set_timeout(const std::string& text) {
    const std::string fault = config::parse_duration(text, ctl_command_.timeout);
    if (!fault.empty()) throw CLI::ValidationError("--timeout", fault);
  }

  Command chosen() {
    if (app_.got_subcommand("run")) return control::RunCommand{file_};
    if (app_.got_subcommand("version")) return printed(version_line() + '\n');
    if (app_.got_subcommand("help")) return printed(overview_);
    if (app_.got_subcommand(check_)) {
      check_command_.file = file_;
      return check_command_;
    }
    if (app_.got_subcommand(explain_)) {
      explain_command_.file = file_;
      if (explain_command_.admin.empty()) return explain_command_;
      return asking(explain_command_.admin, explain_command_);
    }
    if (app_.got_subcommand(numa_)) return numa_command_;
    if (app_.got_subcommand(selftest_)) return selftest_command_;
    if (!app_.got_subcommand(ctl_)) return complaint("a verb is missing");
    const auto verbs = ctl_->get_subcommands();
    if (verbs.empty()) return complaint("ctl: a verb is missing");
    ctl_command_.verb = *ctl_verb_names.find(verbs.front()->get_name());
    return asking(ctl_command_.admin, ctl_command_);
  }

  // A command that asks a running proxy, where its address is one.
  static Command asking(const std::string& admin, Command command) {
    const std::string fault = fault_of_admin(admin);
    if (fault.empty()) return command;
    return complaint("the admin address is '" + admin + "': " + fault);
  }

  static PrintCommand printed(std::string text) {
    return {.out = std::move(text), .err = {}, .exit_code = base::success};
  }

  static PrintCommand complaint(const std::string& sentence) {
    return {.out = {},
            .err = "penstock: " + base::printable(sentence) +
                   "\nRun \"penstock --help\" for what there is.\n",
            .exit_code = base::misuse};
  }

  std::string file_;
  std::string overview_;
  CtlCommand ctl_command_;
  CLI::App app_{"penstock: an L4 TCP reverse proxy and load balancer", "penstock"};
  CLI::App* ctl_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* explain_ = nullptr;
  CLI::App* numa_ = nullptr;
  CLI::App* selftest_ = nullptr;
  CheckCommand check_command_{};
  NumaCommand numa_command_{};
  SelftestCommand selftest_command_{};
  ExplainCommand explain_command_{};
  std::string unrouted_;
};

}  // namespace

Command parse_command_line(int argc, const char* const* argv, const CommandDefaults& defaults) {
  return Interface{defaults}.parse(argc, argv);
}

int print(const PrintCommand& command) {
  std::cout << command.out;
  std::cerr << command.err;
  return command.exit_code;
}

}  // namespace penstock::cli
