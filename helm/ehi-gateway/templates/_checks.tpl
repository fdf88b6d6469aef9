{{- /* Rules between values, which the schema cannot express. All problems are reported together. */ -}}

{{- define "ehi-gateway.checks" -}}
{{- $problems := compact (concat
  (include "ehi-gateway.missing" . | splitList "\n")
  (include "ehi-gateway.unpinned" . | splitList "\n")
  (include "ehi-gateway.unmounted" . | splitList "\n")
  (include "ehi-gateway.contradictions" . | splitList "\n")
) }}
{{- if $problems }}
{{- fail (printf "\n\nThe values of %s do not go together:\n- %s\n" .Chart.Name (join "\n- " $problems)) }}
{{- end }}
{{- end }}

{{- define "ehi-gateway.missing" -}}
{{- $config := .Values.config }}
{{- if not .Values.certificates }}
certificates: at least one, as {existingSecret: NAME} of type kubernetes.io/tls, or {certManager: {issuerRef: {name: NAME}, dnsNames: [HOST]}}
{{- end }}
{{- if not (dig "trust" "anchors" list $config) }}
config.trust.anchors: the CAs whose client certificates are accepted, as {name: thredd, preset: production, rootSha256: "…"}
{{- end }}
{{- with $config.clients | default dict }}
{{- if not (or .allowlist .pins .match .anyCertificateOfAnchor) }}
config.clients: a match, pin or allowlist that names the caller, or anyCertificateOfAnchor: true; the CA serves every customer
{{- end }}
{{- else }}
config.clients: a match, pin or allowlist that names the caller, or anyCertificateOfAnchor: true; the CA serves every customer
{{- end }}
{{- if not $config.routes }}
config.routes: the upstream host, as {path: /, upstream: "http://host.cards.svc:8080"}
{{- end }}
{{- end }}

{{- define "ehi-gateway.unpinned" -}}
{{- if eq .Values.trustCache.type "emptyDir" }}
{{- range $list := list "anchors" "candidates" }}
{{- range dig "trust" $list list $.Values.config }}
{{- if and (or .preset .urls) (not .rootSha256) }}
config.trust.{{ $list }}: {{ .name }} has no rootSha256, and trustCache.type emptyDir is deleted with the pod: a new pod would trust the first root that it fetches. Set rootSha256, or set trustCache.type to persistentVolumeClaim
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Files that the configuration names and that are not mounted. */ -}}
{{- define "ehi-gateway.unmounted" -}}
{{- range regexFindAll "/etc/ehi-gateway/files/[^/\"',\\]} ]+" (toYaml .Values.config) -1 | uniq }}
{{- $name := base . }}
{{- if not (hasKey $.Values.files $name) }}
config names {{ . }}, and files.{{ $name }} is missing: set it to {secret: NAME} or {configMap: NAME}
{{- end }}
{{- end }}
{{- end }}

{{- define "ehi-gateway.contradictions" -}}
{{- with .Values.service.proxyProtocol }}
{{- if and .provider (not .trusted) }}
service.proxyProtocol.trusted: set the load balancer's own addresses, because the gateway accepts PROXY protocol headers only from these
{{- end }}
{{- if and .trusted (not .provider) }}
service.proxyProtocol.provider: set the provider of the load balancer that sends PROXY protocol headers, or `other`
{{- end }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- if eq .Values.kind "DaemonSet" }}
autoscaling.enabled: only with kind: Deployment
{{- end }}
{{- if not (or .Values.autoscaling.cpuUtilization .Values.autoscaling.inFlight) }}
autoscaling: set cpuUtilization, inFlight or both
{{- end }}
{{- end }}
{{- if and .Values.monitoring.serviceMonitor.enabled (not .Values.adminService.enabled) }}
monitoring.serviceMonitor.enabled: only with adminService.enabled; monitoring.podMonitor does not need it
{{- end }}
{{- $grace := include "ehi-gateway.gracePeriod" . | int }}
{{- $needed := include "ehi-gateway.drainSeconds" . | int }}
{{- if lt $grace $needed }}
terminationGracePeriodSeconds: {{ $grace }} s would end the pod while it drains: preStopSleepSeconds, timeouts.drainDelay and timeouts.drain take {{ $needed }} s
{{- end }}
{{- $memory := (.Values.resources.limits | default dict).memory }}
{{- if $memory }}
{{- $memoryNeeded := include "ehi-gateway.neededMebibytes" . | int }}
{{- if lt (include "ehi-gateway.mebibytes" $memory | int) $memoryNeeded }}
resources.limits.memory: {{ $memory }} is less than the {{ $memoryNeeded }} MiB that config.limits.connections: {{ include "ehi-gateway.connections" . }} may need with {{ include "ehi-gateway.relays" . }} relay thread{{ if gt (include "ehi-gateway.relays" . | int) 1 }}s (config.relays){{ end }}
{{- end }}
{{- end }}
{{- if eq (int .Values.ports.listener) (int .Values.ports.admin) }}
ports: listener and admin need different ports
{{- end }}
{{- end }}

{{- /* The least number of relay threads: with `auto`, the default, the gateway starts no more than fit into the memory limit, but always one. */ -}}
{{- define "ehi-gateway.relays" -}}
{{- if eq (.Values.config.relays | default "auto" | toString) "auto" }}1{{ else }}{{ .Values.config.relays | int }}{{ end }}
{{- end }}

{{- define "ehi-gateway.connections" -}}
{{- (.Values.config.limits | default dict).connections | default 10000 | int }}
{{- end }}

{{- /* The memory that the gateway needs with the maximum number of connections: see the section Resources of the README. */ -}}
{{- define "ehi-gateway.neededMebibytes" -}}
{{- $relays := include "ehi-gateway.relays" . | int }}
{{- $kibibytes := mul 64 $relays (include "ehi-gateway.connections" . | int) }}
{{- add 160 (mul 36 (sub $relays 1)) (div (add $kibibytes 1023) 1024) }}
{{- end }}

{{- /* Converts a Kubernetes quantity to MiB, rounded down. */ -}}
{{- define "ehi-gateway.mebibytes" -}}
{{- $suffix := toString . | regexFind "[A-Za-z]*$" }}
{{- $bytes := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- $count := toString . | trimSuffix $suffix | float64 }}
{{- divf (mulf $count (get $bytes $suffix | default 1)) 1048576 | floor | int64 }}
{{- end }}
