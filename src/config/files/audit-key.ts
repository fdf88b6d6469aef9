/** Reads the key that signs the seals of the audit. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describeFile } from '../../pki/file-kind.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { AuditConfig } from '../schema/audit.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';

interface AuditKeyReading {
  /** Ed25519; null: none is set, or there is a problem. */
  readonly key: KeyObject | null;
  readonly problems: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

const path = ['audit', 'seal', 'key'];
const allowed = 'a PEM file with an Ed25519 private key, as ehi-gateway certs audit-key makes it';

/** Reports what is wrong with the file, without throwing and without its content. */
export async function readAuditKey(audit: AuditConfig | null): Promise<AuditKeyReading> {
  const file = audit?.seal?.key;
  if (file === undefined) return { key: null, problems: [], warnings: [] };
  const refuse = (found: string, otherwise = allowed): AuditKeyReading => {
    return { key: null, problems: [{ path, found, allowed: otherwise }], warnings: [] };
  };
  try {
    const key = parseKey(await readFile(file));
    if (typeof key === 'string') return refuse(`${key} in ${file}`);
    // A problem, not a warning as with TLS keys: a seal that every user can make proves nothing.
    const rights = await rightsOfOthers(file);
    if (rights !== null) return refuse(`${file} ${rights}`, ownersOnly);
    return { key, problems: [], warnings: [] };
  } catch (cause) {
    return refuse(`${file} that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
}

/** The key, or what was found instead of it. */
function parseKey(bytes: Buffer): KeyObject | string {
  const pem = bytes.toString('utf8').replace(/^\ufeff/, '');
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(pem)) return 'an encrypted key';
  if (/-----BEGIN PUBLIC KEY-----/.test(pem)) return 'a public key';
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : `a key of type ${key.asymmetricKeyType}`;
  } catch {
    // The messages of OpenSSL differ between versions and do not name the cause.
    const content = describeFile(bytes);
    return content === null ? 'no private key' : `no private key, but ${content},`;
  }
}
