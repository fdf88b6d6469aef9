{{- /* Names and labels of the objects. */ -}}

{{- define "ehi-gateway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "ehi-gateway.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "ehi-gateway.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "ehi-gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ehi-gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end }}

{{- /* The metadata of an object: name, labels and annotations.
       Parameters: root; name; labels and annotations of this object alone; component, `gateway` by default. */ -}}
{{- define "ehi-gateway.metadata" -}}
{{- $root := .root -}}
name: {{ .name | default (include "ehi-gateway.fullname" $root) }}
namespace: {{ $root.Release.Namespace }}
labels:
  helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
  app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | trunc 63 | quote }}
  app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  {{- $own := include "ehi-gateway.selectorLabels" $root | fromYaml }}
  {{- if .component }}{{ $_ := set $own "app.kubernetes.io/component" .component }}{{ end }}
  {{- toYaml (merge $own (.labels | default dict) $root.Values.commonLabels) | nindent 2 }}
{{- with merge dict (.annotations | default dict) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "ehi-gateway.image" -}}
{{- with .Values.image }}
{{- $name := ternary (printf "%s/%s" .registry .repository) .repository (ne .registry "") }}
{{- if .digest }}
{{- printf "%s@%s" $name .digest }}
{{- else }}
{{- printf "%s:%s" $name (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ehi-gateway.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "ehi-gateway.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "ehi-gateway.resumptionSecretName" -}}
{{- .Values.resumption.existingSecret | default (printf "%s-resumption" (include "ehi-gateway.fullname" .)) }}
{{- end }}

{{- define "ehi-gateway.trustClaimName" -}}
{{- .Values.trustCache.existingClaim | default (printf "%s-trust" (include "ehi-gateway.fullname" .)) }}
{{- end }}

{{- /* The name of the Secret of the certificate at .index. */ -}}
{{- define "ehi-gateway.certificateSecretName" -}}
{{- .certificate.existingSecret | default (printf "%s-tls-%d" (include "ehi-gateway.fullname" .root) .index) }}
{{- end }}
