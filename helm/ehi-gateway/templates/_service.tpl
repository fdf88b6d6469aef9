{{- /* Settings of the load balancer that follow from the configuration. */ -}}

{{- /* The annotation that enables PROXY protocol at each cloud provider. */ -}}
{{- define "ehi-gateway.proxyAnnotations" -}}
{{- $known := dict
  "aws" (dict "service.beta.kubernetes.io/aws-load-balancer-proxy-protocol" "*")
  "digitalocean" (dict "service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol" "true")
  "hetzner" (dict "load-balancer.hetzner.cloud/uses-proxyprotocol" "true")
  "linode" (dict "service.beta.kubernetes.io/linode-loadbalancer-default-proxy-protocol" "v2")
  "openstack" (dict "loadbalancer.openstack.org/proxy-protocol" "true")
  "oracle" (dict "oci-network-load-balancer.oraclecloud.com/is-ppv2-enabled" "true")
  "scaleway" (dict "service.beta.kubernetes.io/scw-loadbalancer-proxy-protocol-v2" "true")
}}
{{- get $known .Values.service.proxyProtocol.provider | default dict | toYaml }}
{{- end }}

{{- /* Ranges that the load balancer admits. A single address becomes a range. None with refuseAt: http, because then every address gets a response. */ -}}
{{- define "ehi-gateway.sourceRanges" -}}
{{- $ranges := .Values.service.loadBalancerSourceRanges }}
{{- if kindIs "string" $ranges }}
{{- $clients := .Values.config.clients | default dict }}
{{- $ranges = eq ($clients.refuseAt | default "accept") "http" | ternary list ($clients.allowlist | default list) }}
{{- end }}
{{- range $ranges }}
- {{ contains "/" . | ternary . (printf "%s/%s" . (contains ":" . | ternary "128" "32")) | quote }}
{{- end }}
{{- end }}
