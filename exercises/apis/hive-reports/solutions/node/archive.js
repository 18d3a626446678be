"use strict";
// The association's archive. It stands for a system that is not yours: leave this file as it is.

class ArchiveError extends Error {}

function keep(report) {
  if (process.env.ARCHIVE === "down") {
    throw new ArchiveError(`no route to hives-archive.internal:7433, table frames_2019, report ${report.id}`);
  }
}

module.exports = { keep, ArchiveError };
