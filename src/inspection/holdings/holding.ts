/** A key, certificate or CRL that a configuration trusts or uses, with where it comes from and what it is used for. */
import type { Certificate } from '../../pki/certificate.ts';
import type { CertificateKey } from '../../pki/key.ts';

/** What it is for → the words for it, and what is done when it ends. */
export const purposes = {
  server: {
    text: 'server certificate',
    renewal: 'request a new one from its CA (certs csr) and replace the files of listen.certificate',
  },
  server_chain: {
    text: 'CA in the server chain',
    renewal: 'get the CA’s new certificate and replace it in the chain of listen.certificate',
  },
  anchor_root: {
    text: 'root of a trust anchor',
    renewal:
      'get the new root from its operator, compare its SHA-256, add it beside this one (docs/trust.md)',
  },
  anchor_ca: {
    text: 'CA of a trust anchor',
    renewal: 'get the CA’s new certificate from its operator and add it beside this one (docs/trust.md)',
  },
  crl_signer: {
    text: 'CRL signer of a trust anchor',
    renewal: 'get its new certificate from the operator of the CA (docs/trust.md)',
  },
  pending_root: {
    text: 'certificate of a root that waits for approval',
    renewal: 'compare the root with its operator, then ehi-gateway trust approve',
  },
  upstream_ca: {
    text: 'CA of an upstream host',
    renewal: 'get the CA’s new certificate and add it to the file of tls.ca',
  },
  upstream_client: {
    text: 'client certificate for an upstream host',
    renewal: 'request a new one from the CA of the host (certs csr) and replace the files of tls.certificate',
  },
  upstream_chain: {
    text: 'CA in the client chain for an upstream host',
    renewal: 'get the CA’s new certificate and replace it in the chain of tls.certificate',
  },
  fetch_ca: {
    text: 'CA of the servers that anchors and key sets are fetched from',
    renewal: 'get the CA’s new certificate and add it to the file of tls.ca',
  },
  tracing_ca: {
    text: 'CA of the tracing collector',
    renewal: 'get the CA’s new certificate and add it to the file of tracing.tls.ca',
  },
  crl: {
    text: 'CRL',
    renewal: 'the CA must publish a new one: check that its address can be reached, or replace the file',
  },
  registered_client: {
    text: 'registered client',
    renewal: 'its owner renews it, and registers the new one',
  },
  inactive_client: { text: 'client that is no longer registered', renewal: '' },
  verification_key: {
    text: 'key that verifies tokens or signatures',
    renewal: 'its owner replaces it in the key set',
  },
  message_secret: {
    text: 'secret that a sender signs bodies with',
    renewal: 'agree a new one with the sender and replace the file of hmac.secretFile',
  },
  introspection_ca: {
    text: 'CA of an introspection endpoint',
    renewal: 'get the CA’s new certificate and add it to the file of introspection.ca',
  },
  introspection_client: {
    text: 'client certificate for an introspection endpoint',
    renewal:
      'request a new one from the CA of the authorization server (certs csr) and replace the files of introspection.auth',
  },
  introspection_chain: {
    text: 'CA in the client chain for an introspection endpoint',
    renewal: 'get the CA’s new certificate and replace it in the chain of introspection.auth',
  },
  introspection_key: {
    text: 'key that signs assertions for an introspection endpoint',
    renewal:
      'make a new key, register its public key at the authorization server, and replace the file of introspection.auth.keyFile',
  },
  introspection_secret: { text: 'secret for an introspection endpoint', renewal: '' },
  client_pin: { text: 'pinned key of clients', renewal: '' },
  client_thumbprint: { text: 'client certificate by thumbprint', renewal: '' },
  upstream_pin: { text: 'pinned key of an upstream host', renewal: '' },
  ticket_secret: { text: 'secret of session tickets', renewal: '' },
  audit_key: {
    text: 'key that signs the seals of the audit',
    renewal: 'make a new one (certs audit-key), replace the file of audit.seal.key and restart the gateway',
  },
  system_cas: { text: 'CAs of the operating system', renewal: '' },
  node_cas: { text: 'CAs that Node.js brings along', renewal: '' },
  seen_client: {
    text: 'client certificate that the running gateway has authorized',
    renewal: 'its owner renews it',
  },
} as const;
export type Purpose = keyof typeof purposes;

export interface Use {
  readonly purpose: Purpose;
  /** Path in the configuration: `listen.certificate`, `trust.anchors[0]`. */
  readonly path: string;
  /** Where it is used, for people: `clients`, `anchor thredd`, `host https://10.0.0.1`. */
  readonly usedBy: string;
  /** A file or a URL. */
  readonly source: string;
}

export type Holding = Use &
  (
    | {
        readonly kind: 'certificate';
        readonly certificate: Certificate;
        /** File of its private key; null: another party has the key. */
        readonly keyFile: string | null;
        /** Why the gateway does not use it; null: it does. */
        readonly unused: string | null;
        /** When it was last fetched or confirmed, ms since the epoch; null: it is a file. */
        readonly fetchedAt: number | null;
      }
    | {
        readonly kind: 'crl';
        readonly issuer: string;
        readonly sha256: string;
        /** Milliseconds since the epoch; `nextUpdate` null: the CRL has none. */
        readonly thisUpdate: number;
        readonly nextUpdate: number | null;
        readonly entries: number;
        readonly fetchedAt: number | null;
      }
    /** A key that is known by its hash alone. `sha256`: base64 of a public key, base64url or hex of a certificate. */
    | { readonly kind: 'hash'; readonly sha256: string }
    /** A key without a certificate: a private one of the gateway's own, or a public one of a key set. `state`: what identifies it. */
    | { readonly kind: 'key'; readonly key: CertificateKey; readonly spkiPin: string; readonly state: string }
    /** Trusted without being listed one by one; `detail`: what is known. */
    | { readonly kind: 'set'; readonly detail: string }
    /** It cannot be read; a phrase that names the reason. */
    | { readonly kind: 'fault'; readonly detail: string }
  );

export type CertificateHolding = Extract<Holding, { kind: 'certificate' }>;
export type CrlHolding = Extract<Holding, { kind: 'crl' }>;
