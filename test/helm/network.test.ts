import { describe, expect, it } from 'vitest';
import { one, render } from './support/chart.ts';

const name = 'edge-ehi-gateway';
const service = (set: string, values?: object) => one(render(set, values), 'Service', name);
const policy = (set: string) => one(render(set), 'NetworkPolicy').spec;

describe('the Service', () => {
  it('preserves clients’ addresses where Kubernetes allows externalTrafficPolicy', () => {
    expect(service('default').spec).toMatchObject({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
    expect(service('node-port').spec).toMatchObject({ type: 'NodePort', externalTrafficPolicy: 'Local' });
    expect(service('proxy-protocol').spec.externalTrafficPolicy).toBe('Cluster');
    expect(service('ipv4-only').spec).not.toHaveProperty('externalTrafficPolicy');
  });

  it('admits the allowlist, with single addresses as ranges', () => {
    const ranges = (set: string) => service(set).spec.loadBalancerSourceRanges;
    expect(ranges('default')).toEqual(['203.0.113.7/32', '2001:db8::/48']);
    expect(ranges('dual-stack')).toEqual(['203.0.113.0/24', '2001:db8::/32']);
  });

  it('admits every address with refuseAt: http, and has ranges only for a load balancer', () => {
    for (const set of ['commissioning', 'cert-manager', 'node-port', 'ipv4-only']) {
      expect(service(set).spec).not.toHaveProperty('loadBalancerSourceRanges');
    }
  });

  it.each([
    ['aws', { 'service.beta.kubernetes.io/aws-load-balancer-proxy-protocol': '*' }],
    ['digitalocean', { 'service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol': 'true' }],
    ['hetzner', { 'load-balancer.hetzner.cloud/uses-proxyprotocol': 'true' }],
    ['linode', { 'service.beta.kubernetes.io/linode-loadbalancer-default-proxy-protocol': 'v2' }],
    ['openstack', { 'loadbalancer.openstack.org/proxy-protocol': 'true' }],
    ['oracle', { 'oci-network-load-balancer.oraclecloud.com/is-ppv2-enabled': 'true' }],
    ['scaleway', { 'service.beta.kubernetes.io/scw-loadbalancer-proxy-protocol-v2': 'true' }],
    ['other', undefined],
  ])('asks the load balancer of %s for PROXY protocol', (provider, annotations) => {
    const values = { service: { proxyProtocol: { provider, trusted: ['10.0.0.0/8'] } } };
    expect(service('default', values).metadata.annotations).toEqual(annotations);
  });

  it('may have both IP families, a fixed port and a class', () => {
    expect(service('dual-stack').spec).toMatchObject({
      ipFamilyPolicy: 'PreferDualStack',
      healthCheckNodePort: 30500,
    });
    expect(service('node-port').spec.ports).toEqual([
      { name: 'https', port: 8443, targetPort: 'https', nodePort: 30443 },
    ]);
    expect(service('proxy-protocol').spec).toMatchObject({
      loadBalancerClass: 'service.k8s.aws/nlb',
      allocateLoadBalancerNodePorts: false,
    });
  });

  it('does not expose the admin port, which has a ClusterIP Service', () => {
    const admin = one(render('default'), 'Service', `${name}-admin`);
    expect(service('default').spec.ports).toHaveLength(1);
    expect(admin.spec).toMatchObject({ type: 'ClusterIP', ports: [{ port: 9090, targetPort: 'admin' }] });
  });
});

describe('the NetworkPolicy', () => {
  const listener = { ports: [{ protocol: 'TCP', port: 'https' }] };
  const dns = [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ];
  const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP', port }));

  it('admits connections to the listener, and none to the admin port', () => {
    expect(policy('default').ingress).toEqual([listener]);
  });

  it('admits scrapers and probes to the admin port', () => {
    expect(policy('pod-monitor').ingress).toEqual([
      listener,
      {
        ports: [{ protocol: 'TCP', port: 'admin' }],
        from: [
          { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } } },
          { ipBlock: { cidr: '10.1.0.0/24' } },
        ],
      },
    ]);
  });

  it('allows outgoing connections to DNS, to the upstreams’ ports, and to port 443 of any address', () => {
    expect(policy('default').egress).toEqual([{ ports: dns }, { ports: tcp(8080) }, { ports: tcp(443) }]);
    expect(policy('cert-manager').egress[1]).toEqual({ ports: tcp(443) });
    expect(policy('dual-stack').egress[1]).toEqual({ ports: tcp(80) });
    expect(policy('files').egress[1]).toEqual({ ports: tcp(8443, 8080) });
    expect(policy('tracing').egress[2]).toMatchObject({ ports: tcp(4318), to: [{ namespaceSelector: {} }] });
  });

  it('allows outgoing connections only to named peers', () => {
    const egress = policy('network-policy').egress;
    expect(egress.slice(0, 3)).toMatchObject([
      { ports: dns, to: [{ podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }] },
      { ports: tcp(8080, 443, 9443), to: [{ namespaceSelector: {} }] },
      {
        ports: tcp(443, 80),
        to: [{ ipBlock: { cidr: '198.51.100.0/24' } }, { ipBlock: { cidr: '2001:db8:2::/48' } }],
      },
    ]);
    expect(egress).toHaveLength(4);
  });

  it('has no rule for upstreams with Unix sockets, and is absent when it is off', () => {
    const upstream = { routes: [{ path: '/', upstream: 'unix:/run/host.sock' }] };
    expect(one(render('default', { config: upstream }), 'NetworkPolicy').spec.egress).toHaveLength(2);
    expect(policy('bare')).toMatchObject({ policyTypes: ['Ingress'] });
    expect(policy('bare')).not.toHaveProperty('egress');
    expect(render('ipv4-only').filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
  });
});

describe('several pods', () => {
  it('are never all unavailable at once, unless there is only one', () => {
    expect(one(render('default'), 'PodDisruptionBudget').spec).toMatchObject({ maxUnavailable: 1 });
    const budget = one(render('autoscaling'), 'PodDisruptionBudget').spec;
    expect(budget).toMatchObject({ minAvailable: '50%' });
    expect(budget).not.toHaveProperty('maxUnavailable');
    for (const set of ['commissioning', 'bare']) {
      expect(render(set).filter(({ kind }) => kind === 'PodDisruptionBudget')).toEqual([]);
    }
  });

  it('are scaled by CPU and by messages in flight, and then have no fixed number', () => {
    const objects = render('autoscaling');
    expect(one(objects, 'HorizontalPodAutoscaler').spec).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name },
      metrics: [
        { resource: { name: 'cpu', target: { averageUtilization: 70 } } },
        { pods: { metric: { name: 'ehi_in_flight' }, target: { averageValue: '50' } } },
      ],
    });
    expect(one(objects, 'Deployment').spec).not.toHaveProperty('replicas');
  });

  it('are replaced after a new one has started, unless they use a port of the node', () => {
    expect(one(render('default'), 'Deployment').spec.strategy.rollingUpdate).toEqual({
      maxSurge: 1,
      maxUnavailable: 0,
    });
    expect(one(render('daemonset'), 'DaemonSet').spec.updateStrategy.rollingUpdate).toEqual({
      maxUnavailable: 1,
    });
  });
});
