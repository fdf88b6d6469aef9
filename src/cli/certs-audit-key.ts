/** `ehi-gateway certs audit-key`: the key pair that signs the seals of the audit and verifies them. */
import { createPublicKey } from 'node:crypto';
import { keyIdOf } from '../audit/seals/seal.ts';
import { exitCodes } from '../errors.ts';
import { privateKeyPem } from '../issuing/private-key-file.ts';
import { makeKey } from '../pki/key.ts';
import { paint } from '../terminal/colours.ts';
import { jsonLine } from '../terminal/json.ts';
import { writeOutputs } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';

export interface AuditKeyOptions {
  /** Names the files: NAME.key, NAME.pub. */
  readonly out: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** Writes both files or none. Resolves with the exit code; throws UsageError. */
export async function makeAuditKey({ out, force, json }: AuditKeyOptions): Promise<number> {
  const files = { key: `${out}.key`, public_key: `${out}.pub` };
  const privateKey = makeKey('ed25519');
  const publicKey = createPublicKey(privateKey);
  await writeOutputs([
    { file: files.public_key, contents: publicKey.export({ type: 'spki', format: 'pem' }), force },
    // No passphrase: the gateway starts without an operator.
    { file: files.key, contents: privateKeyPem(privateKey, null), secret: true, force },
  ]);
  const keyId = keyIdOf(publicKey);
  process.stdout.write(json ? jsonLine({ ...files, key_id: keyId }) : textOf({ ...files, keyId }));
  return exitCodes.drained;
}

function textOf(facts: {
  readonly key: string;
  readonly public_key: string;
  readonly keyId: string;
}): string {
  const [key, publicKey] = [printable(facts.key), printable(facts.public_key)];
  return [
    `${paint('bold', key)}  the private key, which signs the seals: only the gateway may be able to read it`,
    `${paint('bold', publicKey)}  the public key, which verifies them: keep it where the gateway's machine cannot change it`,
    '',
    `Key id     ${facts.keyId}, which each seal names`,
    '',
    'Next:',
    `1. Let the user of the gateway own ${key}, and name it in the configuration: audit.seal.key. Restart the gateway.`,
    `2. Give ${publicKey} to those who verify the audit: ehi-gateway audit verify FILES… --public-key ${publicKey}`,
    '',
  ].join('\n');
}
