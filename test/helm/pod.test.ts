import { describe, expect, it } from 'vitest';
import { one, podOf, render, valueSets } from './support/chart.ts';

const secured = {
  runAsNonRoot: true,
  runAsUser: 65532,
  seccompProfile: { type: 'RuntimeDefault' },
};

describe('the pod', () => {
  it.each(valueSets.filter((set) => set !== 'bare'))(
    'runs as an unprivileged user, without capabilities and token, with %s',
    (set) => {
      const { spec } = podOf(render(set));
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext).toMatchObject(secured);
      for (const container of spec.containers) {
        expect(container.securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        });
      }
      expect(spec.containers[0].securityContext.readOnlyRootFilesystem).toBe(true);
    },
  );

  it('has no user and group if the platform sets them', () => {
    const { securityContext } = podOf(render('bare')).spec;
    expect(securityContext).toEqual({
      runAsNonRoot: true,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('has probes on the admin port', () => {
    const [container] = podOf(render('placement')).spec.containers;
    expect(container.readinessProbe).toMatchObject({
      httpGet: { path: '/readyz', port: 'admin' },
      periodSeconds: 1,
    });
    expect(container.livenessProbe).toMatchObject({
      httpGet: { path: '/healthz', port: 'admin' },
      failureThreshold: 3,
    });
    expect(container.startupProbe).toMatchObject({ httpGet: { path: '/healthz', port: 'admin' } });
  });

  it.each([
    ['default', {}, 10 + 30 + 5],
    ['placement', {}, 2 + 120 + 5],
    ['words', {}, 5 + 0 + 15 + 5],
    ['bare', {}, 20],
    ['default', { config: { timeouts: { drainDelay: '1h', drain: '999ms' } } }, 3600 + 1 + 5],
  ])('is given the time to drain with %s and %j', (set, values, seconds) => {
    expect(podOf(render(set, values)).spec.terminationGracePeriodSeconds).toBe(seconds);
  });

  it('has a preStop sleep of the kubelet only if the values set it', () => {
    const lifecycle = (set: string) => podOf(render(set)).spec.containers[0].lifecycle;
    expect(lifecycle('words')).toEqual({ preStop: { sleep: { seconds: 5 } } });
    expect(lifecycle('default')).toBeUndefined();
  });

  it('has certificates and keys that only its group may read', () => {
    const { volumes } = podOf(render('files')).spec;
    const secrets = volumes.filter(({ secret }: { secret?: object }) => secret);
    expect(secrets.map(({ name }: { name: string }) => name)).toEqual([
      'tls-0',
      'files-host-client',
      'files-next',
      'resumption',
    ]);
    for (const { secret } of secrets) expect(secret.defaultMode).toBe(0o440);
  });

  it('has the Secrets of an RSA and of an ECDSA certificate', () => {
    const objects = render('cert-manager');
    const made = objects.filter(({ kind }) => kind === 'Certificate');
    expect(made.map(({ spec }) => [spec.secretName, spec.privateKey])).toEqual([
      ['edge-ehi-gateway-tls-0', { algorithm: 'ECDSA', rotationPolicy: 'Always' }],
      ['edge-ehi-gateway-tls-1', { algorithm: 'RSA', size: 2048, rotationPolicy: 'Always' }],
    ]);
    const { volumes } = podOf(objects).spec;
    for (const [index, { spec }] of made.entries()) {
      expect(volumes[index + 1]).toMatchObject({
        name: `tls-${index}`,
        secret: { secretName: spec.secretName },
      });
    }
  });

  it('has a preferred or a required anti-affinity to the other pods', () => {
    const affinity = (set: string) => podOf(render(set)).spec.affinity;
    expect(affinity('default').podAntiAffinity).toHaveProperty(
      'preferredDuringSchedulingIgnoredDuringExecution',
    );
    expect(affinity('placement').podAntiAffinity).toHaveProperty(
      'requiredDuringSchedulingIgnoredDuringExecution',
    );
    expect(affinity('placement')).toHaveProperty('nodeAffinity');
    expect(affinity('bare')).toBeUndefined();
    expect(affinity('daemonset')).toBeUndefined();
  });

  it('has a spread constraint with the selector of these pods', () => {
    const [constraint] = podOf(render('placement')).spec.topologySpreadConstraints;
    const selector = one(render('placement'), 'Deployment').spec.selector;
    expect(constraint).toMatchObject({ topologyKey: 'kubernetes.io/hostname', labelSelector: selector });
  });

  it('uses the image of the chart’s version, of a tag, or of a digest', () => {
    const image = (set: string) => podOf(render(set)).spec.containers[0].image;
    expect(image('default')).toBe('ehi-gateway:0.1.0');
    expect(image('extras')).toBe('ehi-gateway:9.9.9');
    expect(image('existing-objects')).toBe(
      `registry.example.com/payments/ehi-gateway@sha256:${'1'.repeat(64)}`,
    );
  });
});

describe('objects that are kept when a pod ends', () => {
  it('include the claim of the trust cache, which helm uninstall keeps', () => {
    const objects = render('persistent-cache');
    const claim = one(objects, 'PersistentVolumeClaim');
    expect(claim.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect(podOf(objects).spec.volumes).toContainEqual({
      name: 'trust',
      persistentVolumeClaim: { claimName: claim.metadata.name },
    });
  });

  it('include the resumption secret, which helm uninstall keeps and which is long enough', () => {
    const { metadata, data } = one(render('default'), 'Secret');
    expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect(Buffer.from(data.secret, 'base64').length).toBeGreaterThanOrEqual(32);
    expect(one(render('default'), 'Secret').data.secret).not.toBe(data.secret);
  });

  it('may exist already', () => {
    const objects = render('existing-objects');
    expect(objects.filter(({ kind }) => ['Secret', 'PersistentVolumeClaim'].includes(kind))).toEqual([]);
    expect(podOf(objects).spec.volumes).toMatchObject([
      { name: 'config' },
      { name: 'tls-0' },
      { secret: { secretName: 'ehi-gateway-tickets', items: [{ key: 'tickets', path: 'secret' }] } },
      {
        secret: {
          secretName: 'ehi-gateway-audit-key',
          items: [{ key: 'signing.key', path: 'audit.key' }],
          defaultMode: 0o440,
        },
      },
      { persistentVolumeClaim: { claimName: 'trust' } },
    ]);
  });

  it('include no resumption secret if resumption is off', () => {
    const objects = render('words');
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const names = podOf(objects).spec.volumes.map(({ name }: { name: string }) => name);
    expect(names).not.toContain('resumption');
  });
});
