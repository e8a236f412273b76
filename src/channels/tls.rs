//! TLS for every channel: rustls with the ring provider, the machine's own roots, and a private authority where a
//! provider names one. There is no way to accept a certificate without checking it.

use super::ChannelError;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::path::Path;
use std::sync::Arc;

/// What the client believes and speaks: TLS 1.2 and 1.3, certificates signed by the machine's roots or by `ca_file`
/// (PEM, one or more certificates, beside the machine's).
///
/// # Errors
/// [`ChannelError`] where `ca_file` cannot be read or holds no certificate, or where there is no root at all.
pub fn client(provider: &str, ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, ChannelError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add_file(&mut roots, provider, path)?;
    }
    let wrong = |why: String| ChannelError::Settings { provider: provider.to_owned(), why };
    if roots.is_empty() {
        return Err(wrong(
            "this machine has no root certificates: install its `ca-certificates` package, or name a `ca_file`"
                .to_owned(),
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, provider: &str, path: &Path) -> Result<(), ChannelError> {
    let pem = std::fs::read(path).map_err(|source| ChannelError::Read {
        provider: provider.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    let wrong = |why: String| ChannelError::Settings {
        provider: provider.to_owned(),
        why: format!("`ca_file` {}: {why}", path.display()),
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("not a PEM file of certificates: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong("holds no certificate".to_owned()));
    }
    for certificate in certificates {
        roots.add(certificate).map_err(|error| wrong(format!("a certificate cannot be used: {error}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(content: &str) -> String {
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join("ca.pem");
        std::fs::write(&path, content).expect("a file");
        client("relay", Some(&path)).expect_err("no certificate in it").to_string()
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_named() {
        assert!(refused("hello").contains("holds no certificate"));
        let cut = "-----BEGIN CERTIFICATE-----\nMIIB\n";
        assert!(refused(cut).contains("ca.pem"), "{}", refused(cut));
    }

    #[test]
    fn an_absent_ca_file_is_named() {
        let error = client("relay", Some(Path::new("/nowhere/ca.pem"))).expect_err("there is none");
        assert!(error.to_string().starts_with("provider `relay`: cannot read /nowhere/ca.pem"), "{error}");
    }
}
