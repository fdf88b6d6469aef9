/** nginx, configured to do what the gateway does; its `Client-Cert` is the escaped PEM, because it has no DER in base64. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepting, cores, freePort, start } from '../processes.ts';
import { describeProgram, makeHome, type Peer, type PeerNeeds } from './peer.ts';

export async function startNginx(needs: PeerNeeds): Promise<Peer> {
  const home = makeHome(needs);
  const port = await freePort();
  writeFileSync(join(home.outside, 'nginx.conf'), configure({ folder: home.inside, port, needs }));
  const process = start({
    command: [...home.enter, 'nginx', '-e', 'stderr', '-c', `${home.inside}/nginx.conf`],
    core: cores.gateway,
  });
  await accepting(process, port);
  return {
    name: 'nginx',
    version: describeProgram(home, ['nginx', '-V']),
    port,
    process,
    log: {
      file: join(home.outside, 'messages.log'),
      message: '"type":"message"',
      full: '"resumed":"."',
      resumed: '"resumed":"r"',
    },
  };
}

/** The log is written in batches that are at most 100 ms old, as the gateway's audit is. */
function configure(options: { folder: string; port: number; needs: PeerNeeds }): string {
  const { folder, port, needs } = options;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 10000; }
http {
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  log_format audit escape=json '{"type":"message","time":"$time_iso8601","request_id":"$request_id","source_address":"$remote_addr","source_port":"$remote_port","method":"$request_method","path":"$uri","status":$status,"request_bytes":$request_length,"response_bytes":$bytes_sent,"upstream_s":"$upstream_response_time","total_s":$request_time,"tls_version":"$ssl_protocol","cipher":"$ssl_cipher","resumed":"$ssl_session_reused","subject":"$ssl_client_s_dn","issuer":"$ssl_client_i_dn","serial":"$ssl_client_serial","fingerprint":"$ssl_client_fingerprint"}';
  access_log ${folder}/messages.log audit buffer=64k flush=100ms;
  keepalive_requests 1000000000;
  keepalive_timeout 75s;
  upstream host {
    server 127.0.0.1:${needs.upstream};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/server.pem;
    ssl_certificate_key ${folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256;
    ssl_client_certificate ${folder}/ca.pem;
    ssl_crl ${folder}/crl.pem;
    ssl_verify_client on;
    ssl_verify_depth 2;
    allow 127.0.0.0/8;
    deny all;
    location / {
      proxy_pass http://host;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header Client-Cert $ssl_client_escaped_cert;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Request-Id $request_id;
    }
  }
}
`;
}
