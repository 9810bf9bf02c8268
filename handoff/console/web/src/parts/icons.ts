// Our own symbols as paths: `filled` on a ground of 16, `drawn` with a pen on a ground of 24.
export const FILLED = {
  lock: "M4 7V5a4 4 0 0 1 8 0v2h1v7H3V7zm2 0h4V5a2 2 0 0 0-4 0z",
  eye: "M8 3c4 0 7 5 7 5s-3 5-7 5-7-5-7-5 3-5 7-5zm0 2a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  clip: "M5 4v7a3 3 0 0 0 6 0V3a2 2 0 0 0-4 0v7a1 1 0 0 0 2 0V4h1v6a2 2 0 0 1-4 0V3a3 3 0 0 1 6 0v8a4 4 0 0 1-8 0V4z",
  phone: "M4 1l3 1 1 4-2 1c1 2 2 3 4 4l1-2 4 1 0 4c-7 1-13-5-12-12z",
} as const;

export const DRAWN = {
  work: "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
  tickets: "M3 8a2 2 0 0 0 2-2h14a2 2 0 0 0 2 2v8a2 2 0 0 0-2 2H5a2 2 0 0 0-2-2zM14 6v2M14 11v2M14 16v2",
  board: "M4 4h16v16H4zM10 4v16M15 4v16",
  clients: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-3.500 2.500-6 6-6s6 2.500 6 6M16 5a3 3 0 0 1 0 6M18 14.500c2 .8 3 2.800 3 5.500",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.500 4.500",
  mentions: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM16 8v5.500a2.500 2.500 0 0 0 5 0V12a9 9 0 1 0-4 7.500",
  lines: "M4 6h4v12H4zM10 10h4v8h-4zM16 4h4v14h-4zM3 21h18",
  reports: "M4 4v16h16M8 15l3.500-4 3 2.500L20 8",
  flows: "M5 3h6v5H5zM13 16h6v5h-6zM8 8v3.500h8V16",
  channels: "M5 19a10 10 0 0 1 0-14M8.500 15.500a5 5 0 0 1 0-7M19 5a10 10 0 0 1 0 14M15.500 8.500a5 5 0 0 1 0 7M12 11v2",
  hooks: "M9 6a3.500 3.500 0 1 1 5 3l-3 6M7 12a4 4 0 1 0 4 5h6M17 14a3.500 3.500 0 1 1-2 6",
  tokens: "M14 10a4 4 0 1 0-3.500 4L20 14M17 14v3M20 14v2",
  users: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.500-7 8-7s8 3 8 7",
  audit: "M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7",
  profile: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-3.500 4-5 8-5s7 1.500 8 5",
  other: "M5 5h14v14H5z",
  more: "M4 7h16M4 12h16M4 17h16",
  narrow: "M4 4h16v16H4zM9 4v16M16 9l-3 3 3 3",
  wide: "M4 4h16v16H4zM9 4v16M13 9l3 3-3 3",
  leave: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  limit: "M4 17a8 8 0 1 1 16 0M12 17l4-6",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.500 2h-15zM10 21h4",
  sound: "M4 9h4l5-4v14l-5-4H4zM16.500 9a4 4 0 0 1 0 6",
} as const;

export type IconName = keyof typeof FILLED | keyof typeof DRAWN;
