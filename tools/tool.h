// What every command-line tool does the same way: flags by CLI11, one line on stderr and exit status 1 for
// what goes wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"

namespace caffe2rt {

// Parses a tool's flags, as add_options(app, flags) declares them, then does its work(flags). Returns main's
// exit status.
template <class Flags>
int run_tool(const char* name, const char* description, int argc, char** argv,
             void (*add_options)(CLI::App& app, Flags& flags), void (*work)(const Flags& flags)) noexcept {
  try {
    CLI::App app(description, name);
    app.failure_message([](const CLI::App* failed, const CLI::Error& e) {
      return failed->get_name() + ": error: " + e.what() + " (see --help)\n";
    });
    Flags flags;
    add_options(app, flags);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      return app.exit(e) == 0 ? 0 : 1;
    }
    work(flags);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: error: %s\n", name, e.what());
    return 1;
  }
}

// --predict_net and --init_net, as detectron2's example names them.
inline void add_net_flags(CLI::App& app, std::string& predict_net, std::string& init_net) {
  app.add_option("--predict_net,--predict-net", predict_net, "Network: model.pb or .pbtxt")->required();
  app.add_option("--init_net,--init-net", init_net, "Its weights: model_init.pb")->required();
}

// --disable-passes, to find out what one of them does.
inline void add_passes_flag(CLI::App& app, std::vector<std::string>& without_passes) {
  app.add_option("--disable-passes", without_passes,
                 "Rewrites of the net to leave out, to see what they do: all, or names of them (a wrong one "
                 "lists them)")
      ->delimiter(',');
}

// --on-host, to find out which operator's results differ on a GPU.
inline void add_on_host_flag(CLI::App& app, std::vector<std::string>& on_host) {
  app.add_option(
         "--on-host", on_host,
         "On a GPU: types of operators to leave to the CPU, or all of them; to see what theirs there do")
      ->delimiter(',');
}

}  // namespace caffe2rt
