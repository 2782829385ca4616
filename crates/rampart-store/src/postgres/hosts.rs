//! Several servers of one database, of which one can be written: who of them is connected to.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::random::random_bytes;

/// A connection, and the task that drives it.
type Connected = (Client, JoinHandle<()>);

/// The servers that an address names. The driver could go through them by itself; but one that takes a connection and
/// then says nothing would use up the time of all.
pub(super) struct Hosts {
    /// The address, once for each of them.
    each: Vec<Config>,
    tls: MakeRustlsConnect,
    /// How long all of them may take together.
    patience: Duration,
    /// Where the next connection is looked for first: where the last one was found.
    first: AtomicUsize,
}

impl Hosts {
    pub(super) fn new(config: &Config, tls: MakeRustlsConnect, patience: Duration) -> Self {
        Self { each: one_by_one(config), tls, patience, first: AtomicUsize::new(0) }
    }

    async fn connect_to_one(&self) -> Result<Connected, Error> {
        let count = self.each.len();
        let first = match self.each[0].get_load_balance_hosts() {
            LoadBalanceHosts::Random => usize::from(random_bytes::<1>()[0]),
            _ => self.first.load(Ordering::Relaxed),
        };
        let share = self.patience / u32::try_from(count).unwrap_or(u32::MAX);
        for place in first..first + count - 1 {
            let place = place % count;
            match timeout(share, self.connect_to(place)).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => tracing::debug!(%error, place, "this server is not it"),
                Err(_) => tracing::debug!(place, "this server does not answer"),
            }
        }
        // Who asked for the connection waits for the last one as long as is left.
        self.connect_to((first + count - 1) % count).await
    }

    async fn connect_to(&self, place: usize) -> Result<Connected, Error> {
        let (client, connection) = self.each[place].connect(self.tls.clone()).await?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "a connection to the store broke");
            }
        });
        self.first.store(place, Ordering::Relaxed);
        Ok((client, driver))
    }
}

impl Connect for Hosts {
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = Result<Connected, Error>> + Send + '_>> {
        Box::pin(self.connect_to_one())
    }
}

/// An address of several servers, taken apart. What makes no sense is left for the driver to refuse.
fn one_by_one(config: &Config) -> Vec<Config> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    let fits = |given: usize| given == 0 || given == count;
    if count < 2 || !fits(hosts.len()) || !fits(addresses.len()) || !(fits(ports.len()) || ports.len() == 1) {
        return vec![config.clone()];
    }
    let one = |at: usize| {
        let mut one = without_place(config);
        match hosts.get(at) {
            Some(Host::Tcp(host)) => drop(one.host(host)),
            Some(Host::Unix(path)) => drop(one.host_path(path)),
            None => {}
        }
        addresses.get(at).map(|address| one.hostaddr(*address));
        ports.get(at).or(ports.first()).map(|port| one.port(*port));
        one
    };
    (0..count).map(one).collect()
}

/// All that an address says, but for where the servers are.
fn without_place(config: &Config) -> Config {
    let mut copy = Config::new();
    copy.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    config.get_user().map(|user| copy.user(user));
    config.get_password().map(|password| copy.password(password));
    config.get_dbname().map(|name| copy.dbname(name));
    config.get_options().map(|options| copy.options(options));
    config.get_application_name().map(|name| copy.application_name(name));
    config.get_connect_timeout().map(|timeout| copy.connect_timeout(*timeout));
    config.get_tcp_user_timeout().map(|timeout| copy.tcp_user_timeout(*timeout));
    config.get_keepalives_interval().map(|interval| copy.keepalives_interval(interval));
    config.get_keepalives_retries().map(|retries| copy.keepalives_retries(retries));
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_several_servers_is_taken_apart() {
        let url = "postgres://me:p@one:1,two/db?application_name=a&connect_timeout=3&options=-cx=y&\
                   tcp_user_timeout=4&keepalives=0&keepalives_idle=5&keepalives_interval=6&keepalives_retries=7&\
                   target_session_attrs=read-write&channel_binding=require&load_balance_hosts=random&\
                   sslmode=require&sslnegotiation=direct";
        let each = one_by_one(&url.parse().unwrap());
        let alone = ["one:1", "two:5432"].map(|host| url.replace("one:1,two", host).parse().unwrap());
        assert_eq!(each, alone);
    }

    #[test]
    fn a_port_and_a_name_may_be_for_all() {
        let config: Config =
            "postgres:///db?host=one&host=two&hostaddr=127.0.0.1,127.0.0.2&port=7".parse().unwrap();
        let alone = [("one", "127.0.0.1"), ("two", "127.0.0.2")].map(|(host, address)| {
            format!("postgres:///db?host={host}&hostaddr={address}&port=7").parse().unwrap()
        });
        assert_eq!(one_by_one(&config), alone);
    }

    #[test]
    fn what_makes_no_sense_is_left_as_it_is() {
        for url in [
            "postgres:///db",
            "postgres://one/db",
            "postgres:///db?host=one&host=two&hostaddr=127.0.0.1",
            "postgres:///db?host=one&host=two&host=three&port=1,2",
        ] {
            let config: Config = url.parse().unwrap();
            assert_eq!(one_by_one(&config), [config], "{url}");
        }
    }
}
