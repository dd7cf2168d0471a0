# What flake.nix uses of nixpkgs, by hand: each function takes exactly the arguments that the real
# one is given here, and a package is a derivation of its name. Evaluation proves names and shapes;
# nothing is built.
{
  outputs =
    _:
    let
      system = "x86_64-linux";
      made =
        name: more:
        derivation (
          {
            inherit name system;
            builder = "/bin/sh";
          }
          // more
        );
      package = name: made name { };
      named =
        names:
        builtins.listToAttrs (
          map (name: {
            inherit name;
            value = package name;
          }) names
        );
      python = named [
        "hypothesis"
        "jsonschema"
        "numpy"
        "pytest"
        "pytest-timeout"
        "pyyaml"
      ];
    in
    {
      legacyPackages.${system} =
        named [
          "bashInteractive"
          "bubblewrap"
          "cacert"
          "coreutils"
          "dejavu_fonts"
          "findutils"
          "gawk"
          "gcc"
          "git"
          "gnugrep"
          "gnumake"
          "gnused"
          "slurm"
          "zlib"
        ]
        // {
          python313 = package "python313" // {
            withPackages = choose: made "python313-with" { packages = choose python; };
          };
          stdenv.cc.cc.lib = package "gcc-lib";
          lib = {
            makeLibraryPath =
              packages: builtins.concatStringsSep ":" (map (one: "${one}/lib") packages);
            mapAttrsToList =
              function: set: map (name: function name set.${name}) (builtins.attrNames set);
          };
          makeFontsConf = { fontDirectories }: made "fonts.conf" { fonts = fontDirectories; };
          mkShell = { packages, env }: made "shell" (env // { inherit packages; });
          writeShellApplication =
            {
              name,
              runtimeInputs,
              runtimeEnv,
              text,
            }:
            made name (runtimeEnv // { inherit runtimeInputs text; });
          runCommand =
            name:
            { nativeBuildInputs }:
            text: made name { inherit nativeBuildInputs text; };
          dockerTools = {
            usrBinEnv = package "usr-bin-env";
            buildLayeredImage =
              {
                name,
                tag,
                contents,
                config,
              }:
              made "${name}.tar.gz" {
                inherit contents;
                environment = config.Env;
              };
          };
        };
    };
}
