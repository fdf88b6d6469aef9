/** The schema of the chart's own values; helm/ehi-gateway/values.yaml describes them. */
import { z } from 'zod';

const text = z.string();
const port = z.int().min(1).max(65_535);
const seconds = z.int().min(0);
const mapping = z.record(z.string(), z.unknown());
const mappings = z.array(mapping);
const labels = z.record(z.string(), z.string());
const countOrPercent = z.union([z.int().min(0), z.string().regex(/^\d{1,3}%$/)]);
const quantity = z.string().regex(/^\d+(\.\d+)?([KMGTPE]i?)?$/);
const range = z.string().regex(/^[0-9A-Fa-f:.]+(?:\/\d{1,3})?$/);
const networks = z.array(z.string().regex(/^[0-9A-Fa-f:.]+\/\d{1,3}$/));
const objectName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
const clouds = ['aws', 'digitalocean', 'hetzner', 'linode', 'openstack', 'oracle', 'scaleway'] as const;
const orEmpty = <T extends z.ZodType>(value: T) => z.union([value, z.literal('')]);

/**
 * A mapping with these keys and no others. Each key that may not be null is required: Helm validates the values after
 * merging them with the defaults, and an empty value (`annotations:`) removes the default.
 */
function values(shape: z.ZodRawShape) {
  const fields = Object.entries(shape).map(([key, field]) => [
    key,
    field instanceof z.ZodNullable ? field.optional() : field,
  ]);
  return z.strictObject(Object.fromEntries(fields) as z.ZodRawShape);
}

const certificate = z.union([
  z.strictObject({
    existingSecret: objectName,
    chainKey: text.optional(),
    keyKey: text.optional(),
    passphraseKey: text.optional(),
  }),
  z.strictObject({
    certManager: z.looseObject({
      issuerRef: z.strictObject({ name: text, kind: text.optional(), group: text.optional() }),
      dnsNames: z.array(text).optional(),
      ipAddresses: z.array(text).optional(),
      privateKey: z
        .looseObject({ algorithm: z.enum(['RSA', 'ECDSA']).optional(), size: z.int().optional() })
        .optional(),
    }),
  }),
  z.strictObject({ chain: text, key: text, passphraseFile: text.optional() }),
]);

const monitor = {
  enabled: z.boolean(),
  interval: z.string().regex(/^\d+(ms|s|m|h)$/),
  labels,
  relabelings: mappings,
  metricRelabelings: mappings,
};

const service = values({
  type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
  port,
  nodePort: port.nullable(),
  externalTrafficPolicy: z.enum(['Local', 'Cluster']),
  loadBalancerSourceRanges: z.union([z.literal('allowlist'), z.array(range)]),
  proxyProtocol: values({
    provider: z.enum(['', ...clouds, 'other']),
    trusted: z.array(range),
  }),
  annotations: labels,
  labels,
  clusterIP: text,
  loadBalancerClass: text,
  loadBalancerIP: text,
  allocateLoadBalancerNodePorts: z.boolean().nullable(),
  healthCheckNodePort: port.nullable(),
  ipFamilyPolicy: z.enum(['', 'SingleStack', 'PreferDualStack', 'RequireDualStack']),
  ipFamilies: z.array(z.enum(['IPv4', 'IPv6'])).max(2),
});

const networkPolicy = values({
  enabled: z.boolean(),
  scrapers: mappings,
  probes: mappings,
  egress: values({
    enabled: z.boolean(),
    dns: mappings,
    upstream: mappings,
    collector: mappings,
    cidrs: networks,
    ports: z.array(port).min(1),
  }),
  extraIngress: mappings,
  extraEgress: mappings,
});

/** All values except `config`. A parent chart may set `global` and `enabled`. */
export const chartValues = values({
  global: mapping.optional(),
  enabled: z.boolean().optional(),
  nameOverride: text,
  fullnameOverride: text,
  certificates: z.array(certificate),
  files: z.record(
    z.string().regex(/^[a-z0-9]([a-z0-9-]{0,54}[a-z0-9])?$/),
    z.union([z.strictObject({ secret: objectName }), z.strictObject({ configMap: objectName })]),
  ),
  trustCache: values({
    type: z.enum(['emptyDir', 'persistentVolumeClaim']),
    existingClaim: orEmpty(objectName),
    size: quantity,
    storageClass: text,
    accessModes: z.array(z.enum(['ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod'])).min(1),
  }),
  resumption: values({ existingSecret: orEmpty(objectName), key: text }),
  auditKey: values({ existingSecret: orEmpty(objectName), key: text }),
  address: z.enum(['::', '0.0.0.0']),
  ports: values({ listener: port, admin: port }),
  hostPorts: values({ listener: port.nullable(), admin: port.nullable() }),
  service,
  adminHosts: z.array(text),
  adminService: values({ enabled: z.boolean(), annotations: labels, labels }),
  image: values({
    registry: text,
    repository: z.string().min(1),
    tag: text,
    digest: orEmpty(z.string().regex(/^sha256:[0-9a-f]{64}$/)),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  }),
  imagePullSecrets: mappings,
  kind: z.enum(['Deployment', 'DaemonSet']),
  replicas: z.int().min(0),
  updateStrategy: mapping,
  revisionHistoryLimit: z.int().min(0),
  minReadySeconds: seconds,
  resources: values({
    requests: mapping.nullable(),
    limits: mapping.nullable(),
    claims: mappings.optional(),
  }),
  autoscaling: values({
    enabled: z.boolean(),
    minReplicas: z.int().min(1),
    maxReplicas: z.int().min(1),
    cpuUtilization: z.int().min(1).nullable(),
    inFlight: z.int().min(1).nullable(),
    behavior: mapping,
  }),
  podDisruptionBudget: values({
    enabled: z.boolean(),
    maxUnavailable: countOrPercent.nullable(),
    minAvailable: countOrPercent.nullable(),
  }),
  podAntiAffinity: z.enum(['soft', 'hard', 'off']),
  topologySpreadConstraints: mappings,
  affinity: mapping,
  nodeSelector: labels,
  tolerations: mappings,
  priorityClassName: text,
  runtimeClassName: text,
  probes: values({ startup: mapping, readiness: mapping, liveness: mapping }),
  preStopSleepSeconds: seconds,
  terminationGracePeriodSeconds: seconds.nullable(),
  podSecurityContext: mapping,
  securityContext: mapping,
  serviceAccount: values({ create: z.boolean(), name: orEmpty(objectName), annotations: labels }),
  networkPolicy,
  monitoring: values({
    serviceMonitor: values(monitor),
    podMonitor: values(monitor),
    prometheusRule: values({
      enabled: z.boolean(),
      labels,
      alertLabels: labels,
      disabled: z.array(text),
      extraRules: mappings,
      runbooks: text,
    }),
    dashboard: values({ enabled: z.boolean(), labels, annotations: labels }),
  }),
  test: values({
    enabled: z.boolean(),
    command: z.array(text).min(1),
    main: text,
    servername: text,
    ca: text,
    clientSecret: orEmpty(objectName),
    path: z.string().startsWith('/'),
    body: text,
  }),
  initContainers: mappings,
  extraContainers: mappings,
  extraEnv: mappings,
  extraEnvFrom: mappings,
  extraVolumes: mappings,
  extraVolumeMounts: mappings,
  commonLabels: labels,
  commonAnnotations: labels,
  annotations: labels,
  podLabels: labels,
  podAnnotations: labels,
  extraObjects: mappings,
});
