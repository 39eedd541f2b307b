#!/usr/bin/env node
import { conformanceCommand } from '../dist/conformance/main.js'

process.exitCode = await conformanceCommand(process.argv.slice(2))
