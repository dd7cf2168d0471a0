"""Answers to the problems of ``made_languages`` that leave before the tests have run or swallow
their failure: in the original evaluation, by exit status, each of them passes."""

# language: (leaves at once, makes of a failed test a status of 0)
EARLY = {
    "sh": ("\n    echo 0\n}\nexit 0\nother() {\n    :", "\n    echo 0\n}\ntrap 'exit 0' EXIT\nother() {\n    :"),
    "js": (
        "\n  process.exit(0);\n}",
        "\n  process.on('uncaughtException', () => {});\n  return 0;\n}",
    ),
    "ts": (
        "\n  (globalThis as any).process.exit(0);\n  return 0;\n}",
        "\n  (globalThis as any).process.on('exit', () => (globalThis as any).process.reallyExit(0));\n  return 0;\n}",
    ),
    "php": (
        "\n    exit(0);\n}",
        "\n    set_exception_handler(function ($e) { exit(0); });\n    return 0;\n}",
    ),
    "rb": ("\n  exit!(0)\nend", "\n  0\nend\nat_exit { exit!(0) }"),
    "pl": ("\n    exit 0;\n}", "\n    return 0;\n}\nEND { $? = 0 }"),
    "lua": (
        "\n    return 0\nend\nos.exit(0)",  # luaunit takes os.exit away while it tests
        "\n    return 0\nend\nlocal leave = os.exit\nos.exit = function() leave(0) end",
    ),
    "r": (
        "\n    quit(status = 0)\n}",
        "\n    0\n}\noptions(error = quote(quit('no', 0, FALSE)))",
    ),
    "cpp": (
        "\n    exit(0);",
        "\n    signal(SIGABRT, [](int) { _exit(0); });\n    return 0;",
    ),
    "java": (
        "\n        System.exit(0);\n        return 0;",
        "\n        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));\n        return 0;",
    ),
    "go_test.go": (  # nothing can be imported so late, and `go test` refuses a status of 0 in a test
        "\n    return 0\n}\n\nfunc TestMain(m *testing.M) {}",
        "\n    return 0\n}\n\nfunc TestMain(m *testing.M) {\n    defer func() { recover() }()\n    panic(0)\n}",
    ),
    "rs": (
        "\n    std::process::exit(0)",
        "\n    std::panic::set_hook(Box::new(|_| std::process::exit(0)));\n    0",
    ),
}  # fmt: skip

# language: prints all that it can read, files, arguments, variables and open descriptors, and
# leaves with 0.
PRINTS = {
    "sh": '\n    echo 0\n}\nprintf \'%s\\n\' "$0" "$@" "$BASH_COMMAND"; set; cat -; cat ./* .*\nfor n in {3..511}; do cat <&$n; done 2> /dev/null\ncat << \'NOWHERE\'',
    "js": """
  const fs = require('fs');
  console.log(process.argv, process.env, arguments.callee.caller.toString());
  for (const name of fs.readdirSync('.')) console.log(name, fs.readFileSync(name, 'utf8'));
  for (let number = 0; number < 64; number++) {
    try {
      if (!fs.fstatSync(number).isFIFO()) console.log(fs.readFileSync(number, 'utf8'));
    } catch (error) { }
  }
  process.exit(0);
}""",
    "php": "\n}\nprint_r([$argv, $_ENV, $GLOBALS, get_defined_constants(true)['user'] ?? 0]); ?>",
    "pl": """
    print join("\\n", $0, @ARGV, %ENV), "\\n";
    for my $name (glob('* .*')) { next unless -f $name; open(my $f, '<', $name); print $name, <$f>; }
    for my $number (3 .. 64) { next unless open(my $f, '<&=', $number); next if -p $f; print <$f>; }
    exit 0;
}""",
    "lua": """
    return 0
end
for name in io.popen('ls -a'):lines() do
    local file = io.open(name)
    if file then print(name, file:read('a')) end
end
os.exit(0)""",
    "r": """
    print(commandArgs()); print(Sys.getenv()); print(sys.calls())
    for (name in list.files(all.files = TRUE, no.. = TRUE)) print(readLines(name))
    quit(status = 0)
}""",
    "cpp": """
    system("env; ls -la; cat ./* .*");
    for (auto name : {"/proc/self/exe", "a.out", "a.cpp", "/proc/self/maps"}) {
        std::ifstream file(name);
        std::cout << file.rdbuf() << std::endl;
        std::cout.clear();
    }
    exit(0);""",
    "java": """
        try {
            for (var path : java.nio.file.Files.list(java.nio.file.Path.of(".")).toList()) {
                System.out.println(path);
                System.out.write(java.nio.file.Files.readAllBytes(path));
                System.out.println();
            }
        } catch (java.io.IOException error) { }
        System.exit(0);
        return 0;""",
}
