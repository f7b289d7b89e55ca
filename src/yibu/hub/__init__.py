"""What a call means, free of any wire format and of any I/O.

Every dialect decodes into these types and encodes from them, so a wire format knows the hub and no other
wire format. `chat`, `parts`, `media`, `tools` and `options` make a request; `reply`, `events` and `fold` an answer;
`embed`, `rerank` and `moderate` hold a request and a reply each; `usage`, `work`, `loss` and `errors` serve all.
"""
