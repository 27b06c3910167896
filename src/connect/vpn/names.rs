//! The names of a client's network, as the servers know them that its VPN tells. Never
//! asks the machine's own resolver, and reads no file.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use tokio::runtime::{Builder, Runtime};

use super::Unreached;

/// For one question to one server.
const QUESTION: Duration = Duration::from_secs(2);

/// What asks them.
pub struct Names {
    runtime: Runtime,
    resolver: TokioResolver,
}

impl Names {
    /// Asks these servers, and tries short names within these domains.
    ///
    /// # Errors
    /// There is no server, or no descriptors are left.
    pub fn new(servers: &[IpAddr], search: &[String]) -> io::Result<Self> {
        if servers.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let servers = servers.iter().map(|ip| NameServerConfig::udp_and_tcp(*ip)).collect();
        let search = search.iter().filter_map(|name| name.parse::<Name>().ok()).collect();
        let config = ResolverConfig::from_parts(None, search, servers);
        let mut options = ResolverOpts::default();
        options.timeout = QUESTION;
        options.use_hosts_file = ResolveHosts::Never;
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, provider).with_options(options);
        let resolver = builder.build().map_err(io::Error::other)?;
        Ok(Self { runtime, resolver })
    }

    /// The addresses of a name. Blocks for `limit` at most.
    ///
    /// # Errors
    /// The servers do not know it, or do not answer.
    pub fn look_up(&self, name: &str, limit: Duration) -> Result<Vec<IpAddr>, Unreached> {
        self.runtime.block_on(async {
            match tokio::time::timeout(limit, self.resolver.lookup_ip(name)).await {
                Ok(Ok(found)) => Ok(found.iter().collect()),
                Ok(Err(NetError::Timeout | NetError::Io(_))) | Err(_) => Err(Unreached::TimedOut),
                // It does not exist, or the servers refuse to look for it.
                Ok(Err(_)) => Err(Unreached::UnknownName),
            }
        })
    }
}
