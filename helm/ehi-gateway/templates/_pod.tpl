{{- /* The pod: one container, its files, and its placement. */ -}}

{{- define "ehi-gateway.pod" -}}
serviceAccountName: {{ include "ehi-gateway.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: {{ include "ehi-gateway.gracePeriod" . }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{ include "ehi-gateway.container" . | nindent 4 | trim }}
  {{- with .Values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumes:
  {{- include "ehi-gateway.volumes" . | nindent 2 }}
{{- include "ehi-gateway.placement" . }}
{{- end }}

{{- define "ehi-gateway.container" -}}
name: gateway
image: {{ include "ehi-gateway.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [run, --config, /etc/ehi-gateway/config/gateway.yaml]
ports:
  - name: https
    containerPort: {{ .Values.ports.listener }}
    {{- with .Values.hostPorts.listener }}
    hostPort: {{ . }}
    {{- end }}
  - name: admin
    containerPort: {{ .Values.ports.admin }}
    {{- with .Values.hostPorts.admin }}
    hostPort: {{ . }}
    {{- end }}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $name, $path := dict "startup" "/healthz" "liveness" "/healthz" "readiness" "/readyz" }}
{{ $name }}Probe:
  httpGet: { path: {{ $path }}, port: admin }
  {{- toYaml (get $.Values.probes $name) | nindent 2 }}
{{- end }}
{{- with .Values.preStopSleepSeconds }}
lifecycle:
  preStop:
    sleep: { seconds: {{ . }} }
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  {{- include "ehi-gateway.volumeMounts" . | nindent 2 }}
{{- end }}

{{- define "ehi-gateway.placement" -}}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $selector := dict "labelSelector" (dict "matchLabels" (include "ehi-gateway.selectorLabels" . | fromYaml)) }}
{{- with merge dict .Values.affinity (include "ehi-gateway.antiAffinity" . | fromYaml) }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ toYaml (merge dict . $selector) | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "ehi-gateway.antiAffinity" -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "ehi-gateway.selectorLabels" . | fromYaml)) }}
{{- if eq .Values.kind "DaemonSet" }}
{{- else if eq .Values.podAntiAffinity "soft" }}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm: {{ toJson $term }}
{{- else if eq .Values.podAntiAffinity "hard" }}
podAntiAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - {{ toJson $term }}
{{- end }}
{{- end }}
