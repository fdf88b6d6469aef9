/** The reference: HAProxy, configured to do what the gateway does. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepting, cores, freePort, start } from '../processes.ts';
import { describeProgram, makeHome, type Peer, type PeerNeeds } from './peer.ts';

export async function startHaproxy(needs: PeerNeeds): Promise<Peer> {
  const home = makeHome(needs);
  const port = await freePort();
  const log = join(home.outside, 'messages.log');
  writeFileSync(join(home.outside, 'haproxy.cfg'), configure({ folder: home.inside, port, needs }));
  const output = openSync(log, 'a');
  const process = start({
    command: [...home.enter, 'haproxy', '-db', '-f', `${home.inside}/haproxy.cfg`],
    core: cores.gateway,
    stdio: ['ignore', output, 'inherit'],
  });
  closeSync(output);
  await accepting(process, port);
  return {
    name: 'haproxy',
    version: describeProgram(home, ['haproxy', '-vv']),
    port,
    process,
    log: { file: log, message: '"type":"message"', full: '"resumed":0', resumed: '"resumed":1' },
  };
}

/** `http-reuse always`: without it the first message of each connection opens another to the host. */
function configure(options: { folder: string; port: number; needs: PeerNeeds }): string {
  const { folder, port, needs } = options;
  return `
global
  nbthread 1
  maxconn 4000
  log stdout format raw daemon
  ssl-default-bind-ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
  ssl-default-bind-options ssl-min-ver TLSv1.2

defaults
  mode http
  log global
  timeout connect 1s
  timeout client 75s
  timeout server 10s
  timeout http-request 10s
  http-reuse always

frontend ehi
  bind 127.0.0.1:${port} ssl crt ${folder}/server-all.pem ca-file ${folder}/ca.pem crl-file ${folder}/crl.pem verify required alpn http/1.1
  tcp-request connection reject unless { src 127.0.0.0/8 }
  unique-id-format %[uuid]
  unique-id-header X-Request-Id
  http-request set-header Client-Cert :%[ssl_c_der,base64]:
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto https
  log-format '{"type":"message","time":%Ts.%ms,"request_id":"%ID","source_address":"%ci","source_port":%cp,"method":"%HM","path":"%HPO","status":%ST,"request_bytes":%U,"response_bytes":%B,"upstream_ms":%Tr,"total_ms":%Ta,"tls_version":"%sslv","cipher":"%sslc","resumed":%[ssl_fc_is_resumed],"subject":"%[ssl_c_s_dn,json(utf8s)]","issuer":"%[ssl_c_i_dn,json(utf8s)]","serial":"%[ssl_c_serial,hex]","fingerprint":"%[ssl_c_sha1,hex]","outcome":"%tsc"}'
  default_backend host

backend host
  server host 127.0.0.1:${needs.upstream}
`;
}
