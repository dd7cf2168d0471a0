{
  description = "The paper Lemur (arXiv 2310.06830) as a program: from pinned sources to its figures";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      # The locks under envs/ are for this platform alone.
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};

      # Of the versions that the locks are for, one whose packages nixpkgs 26.05 builds (3.13 and 3.14;
      # the set of 3.11 has not been built since 25.05, that of 3.12 since 25.11).
      python = pkgs.python313;

      # Nix gives interpreter and system tools; Python packages come from the hashed locks, so that
      # a run with Nix and one without have the same versions.
      tools = with pkgs; [
        python
        bashInteractive
        coreutils
        findutils
        gawk
        gcc
        git
        gnugrep
        gnumake
        gnused
        bubblewrap
        slurm
        cacert
      ];
      environment = {
        # Wheels expect these two in the usual places, which NixOS lacks.
        LD_LIBRARY_PATH = pkgs.lib.makeLibraryPath [ pkgs.stdenv.cc.cc.lib pkgs.zlib ];
        FONTCONFIG_FILE = pkgs.makeFontsConf { fontDirectories = [ pkgs.dejavu_fonts ]; };
        SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
      };
      application =
        name: text:
        pkgs.writeShellApplication {
          inherit name;
          runtimeInputs = tools;
          runtimeEnv = environment;
          text = ''
            [ -f Makefile ] && [ -d envs ] || { echo "lemur: run this in a checkout of the pipeline" >&2; exit 2; }
          '' + text;
        };
      mini = application "lemur-mini" ''exec make "''${@:-mini}"'';
      # One for each folder of envs/ that has a lock: `nix run .#train -- python`.
      environments = builtins.filter (name: builtins.pathExists (./envs + "/${name}/cpu.lock")) (
        builtins.attrNames (builtins.readDir ./envs)
      );
      inEnvironment =
        name:
        application "lemur-${name}" ''
          python3 workflow/env-build ${name}
          exec workflow/env-run ${name} "''${@:-python}"
        '';
      app = description: package: name: {
        type = "app";
        program = "${package}/bin/${name}";
        meta = { inherit description; };
      };
      # What a sandbox without network can run of `make test`: no Python package comes from an index there.
      testers = python.withPackages (
        packages: with packages; [
          hypothesis
          jsonschema
          numpy
          pytest
          pytest-timeout
          pyyaml
        ]
      );
    in
    {
      devShells.${system}.default = pkgs.mkShell { packages = tools; env = environment; };

      packages.${system} = {
        default = mini;
        # The Snakefile's `container:`, for `snakemake --sdm apptainer`.
        image = pkgs.dockerTools.buildLayeredImage {
          name = "lemur";
          tag = "tools";
          # Scripts begin with /usr/bin/env.
          contents = tools ++ [ pkgs.dockerTools.usrBinEnv ];
          config.Env = pkgs.lib.mapAttrsToList (name: value: "${name}=${value}") environment;
        };
      };

      # `nix run` is `make mini` in the checkout that it is called in, `nix run . -- test` another target.
      apps.${system} = {
        default = app "make, with the pinned interpreter and tools" mini "lemur-mini";
      }
      // builtins.listToAttrs (
        map (name: {
          inherit name;
          value = app "a command in the locked environment ${name}" (inEnvironment name) "lemur-${name}";
        }) environments
      );

      checks.${system} = {
        tools = pkgs.runCommand "lemur-tools" { nativeBuildInputs = tools; } ''
          python3 -c 'import sys, venv, ensurepip; assert sys.version_info[:2] == (3, 13)'
          bwrap --version && sbatch --version && make -n -f ${./Makefile} help && gcc --version
          touch $out
        '';
        offline =
          pkgs.runCommand "lemur-offline" { nativeBuildInputs = [ testers ] ++ tools; }
            ''
              cp -r ${self} checkout && chmod -R u+w checkout && cd checkout
              export HOME=$PWD
              patchShebangs --build workflow tests .ci
              .ci/offline
              touch $out
            '';
      };
    };
}
