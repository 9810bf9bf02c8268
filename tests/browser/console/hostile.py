"""Two hundred strings that want to be markup, script, style, template or address: every trick in every wrapping.

The tricks follow the OWASP XSS Filter Evasion Cheat Sheet.
"""

from __future__ import annotations

RUN = "window.pwned=1"
TRICKS = (
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<body onload={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<input autofocus onfocus={RUN}>",
    f"<a href='javascript:{RUN}'>x</a>",
    f"javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"<math><mtext><img src=x onerror={RUN}></mtext></math>",
    f"<style>@import 'x';*{{background:url(javascript:{RUN})}}</style>",
    f"<link rel=stylesheet href='data:text/css,*{{color:red}}'><b onmouseover={RUN}>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"<template><script>{RUN}</script></template>",
    f"<object data='javascript:{RUN}'></object>",
    f"<form action='javascript:{RUN}'><button>x</button></form>",
)
WRAPPINGS = (
    "{}",
    '">{}',
    "'>{}",
    "</textarea></title></style>{}",
    "--><!-- -->{}",
    "]]>{}",
    "`{}`",
    "\u202e{}\u2066",
    "@:{} | {{n}}",
    "имя {} конец",
)
CORPUS = tuple(wrapping.replace("{}", trick) for trick in TRICKS for wrapping in WRAPPINGS)
