/** Creates the files of a pod: its configuration, and the files that it names at the paths of their mounts. */
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { type KeyKind, makeKey } from '../../../src/pki/key.ts';
import { authority } from '../../support/pki/authority.ts';
import { configTextOf, type KubernetesObject, podOf } from './chart.ts';

interface Pair {
  readonly chain: string;
  readonly key: string;
  readonly passphraseFile?: string;
}

interface Mount {
  readonly mountPath: string;
}

/**
 * Writes a pod's files below `root`, and returns the path of its configuration, which names them there. `kinds`: the types
 * of the server's keys. @throws Error if the configuration names a file that is not mounted.
 */
export function layFiles(objects: readonly KubernetesObject[], root: string, kinds: KeyKind[] = []): string {
  const mounts: Mount[] = podOf(objects).spec.containers[0].volumeMounts;
  const own = authority();
  const text = configTextOf(objects);
  const { listen, trust, routes, audit, tracing } = parse(text);

  const lay = (path: string, content: string | Uint8Array): void => {
    if (!mounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`)))
      throw new Error(`${path}: no mount`);
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    // As the chart's Secrets, which others may not read.
    writeFileSync(file, content, { mode: 0o640 });
  };
  const layPair = (
    { chain, key, passphraseFile }: Pair,
    { chainPem, keyPem }: Record<string, string>,
  ): void => {
    lay(chain, chainPem ?? '');
    if (passphraseFile === undefined) return lay(key, keyPem ?? '');
    const passphrase = 'of this test';
    lay(passphraseFile, `${passphrase}\n`);
    const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
    lay(key, createPrivateKey(keyPem ?? '').export(cipher));
  };

  for (const [index, pair] of (listen.certificate as Pair[]).entries()) {
    const { chainPem, keyPem } = own.issueServer({ key: kinds[index] ?? 'P-256' });
    layPair(pair, { chainPem, keyPem });
  }
  if (listen.resumption?.secretFile) lay(listen.resumption.secretFile, 'a'.repeat(44));
  if (audit?.seal?.key) lay(audit.seal.key, makeKey('ed25519').export({ type: 'pkcs8', format: 'pem' }));
  if (tracing?.headersFile) lay(tracing.headersFile, 'authorization: Bearer of-this-test\n');
  if (tracing?.tls) lay(tracing.tls.ca, own.root.pem);
  for (const { files, revocation } of [...trust.anchors, ...(trust.candidates ?? [])]) {
    for (const [index, file] of (files ?? []).entries()) lay(file, [own.root, own.issuing][index]?.pem ?? '');
    for (const list of [revocation?.crl ?? []].flat()) {
      if (list.startsWith('/')) lay(list, own.crl().pem);
    }
  }
  for (const { upstream } of routes) {
    for (const { tls } of [upstream].flat()) {
      if (tls?.ca) lay(tls.ca, own.root.pem);
      if (!tls?.certificate) continue;
      const { chainPem, keyPem } = own.issueClient();
      layPair(tls.certificate, { chainPem, keyPem });
    }
  }

  const config = '/etc/ehi-gateway/config/gateway.yaml';
  const paths = [...mounts.map(({ mountPath }) => mountPath)].sort((a, b) => b.length - a.length);
  const moved = new RegExp(`(?<![\\w/])(?:${paths.join('|')})(?=/|\\s|$)`, 'g');
  lay(
    config,
    text.replace(moved, (path) => join(root, path)),
  );
  return join(root, config);
}
