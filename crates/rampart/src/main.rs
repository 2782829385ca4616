//! The `rampart` binary: command line, configuration, wiring. The only place with `anyhow` and the environment.

mod accounts;
mod catalog;
mod cli;
mod config;
mod keys;
mod master_key;
mod org;
mod output;
mod serve;
mod store;
mod telemetry;
mod tls;
mod traces;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{AccountCommand, Cli, Command, KeyCommand, OrgCommand};
use crate::config::Config;
use crate::org::Endpoint;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let config = Config::load(&cli.options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => serve::serve(&config).await,
            Command::Config => config.print(),
            Command::Catalog { output } => catalog::print(&config, output),
            Command::Migrate => serve::migrate(&config).await,
            Command::Export { file } => transfer::export(&config, &file).await,
            Command::Import { file } => transfer::import(&config, &file).await,
            Command::Operations { output } => output::operations(output),
            Command::Account(AccountCommand::Create { account, name, output }) => {
                keys::create_account(&config, account, name, output).await
            }
            Command::Account(AccountCommand::List { output }) => accounts::list(&config, output).await,
            Command::Org(OrgCommand::Apply { file, how }) => org::apply_file(&config, &file, how).await,
            Command::Org(OrgCommand::Mirror { endpoint, without_tags, credentials, region, how }) => {
                org::mirror(&config, Endpoint::new(&endpoint, &region, credentials, !without_tags)?, how)
                    .await
            }
            Command::Key(KeyCommand::Create { account, user, output }) => {
                keys::create_key(&config, account, user, output).await
            }
            Command::Key(KeyCommand::List { account, output }) => {
                keys::list_keys(&config, account, output).await
            }
            Command::Key(KeyCommand::Disable { access_key_id, output }) => {
                keys::disable_key(&config, &access_key_id, output).await
            }
        }
    })
}
